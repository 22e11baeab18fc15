"""What input is allowed; shared by pages and API."""
