"""The files that imports keep: tables, and archives of photos."""
