"""What a backup or a restore refuses."""


class BackupError(RuntimeError):
    """Nothing was backed up or restored. The text says why, and what to do."""
