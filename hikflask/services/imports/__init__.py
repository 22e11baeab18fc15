"""Brings people in from a table, and photos from a ZIP file: dry run, import, undo.

web/imports, api/imports.py and cli/imports.py begin one; services/changes runs it.
"""
