"""Brings people in from a table, and photos from a ZIP file: dry run, import, undo."""
