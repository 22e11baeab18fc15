"""The client of a face terminal: ISAPI over HTTP. It imports nothing else of the app."""
