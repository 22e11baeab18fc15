"""The pages, through the app's own test client."""
