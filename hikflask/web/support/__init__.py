"""What pages share: fragments for HTMX, notices, addresses of lists, the language."""
