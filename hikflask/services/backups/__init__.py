"""Backups of an installation: one file with the database, the photos, and the keys when they are asked for.

cli/installation begins one each night, and a restore.
"""


class BackupError(RuntimeError):
    """Nothing was backed up or restored. The text says why, and what to do."""
