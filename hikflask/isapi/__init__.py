"""How to speak to a face terminal: ISAPI over HTTP, without anything of the rest of the app."""
