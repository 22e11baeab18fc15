"""What `make release` makes, looked at by it."""
