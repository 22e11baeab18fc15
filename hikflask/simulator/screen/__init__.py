"""The terminal's screen in a browser."""
