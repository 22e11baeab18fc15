"""Backups of an installation: one file with the database, the photos, and the keys when they are asked for."""


class BackupError(RuntimeError):
    """Nothing was backed up or restored. The text says why, and what to do."""
