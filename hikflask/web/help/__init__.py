"""The guides, served at /help/, and where the “?” of each page leads in them."""
