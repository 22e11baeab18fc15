"""The guides, and what makes their site (hooks.py)."""
