"""Backups of an installation: one file with the database, the photos, and the keys when they are asked for."""
