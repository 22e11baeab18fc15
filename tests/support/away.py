"""A database of SQLite that is away."""

from pathlib import Path


def take_away(file: Path) -> None:
    """Let a database be a folder, so that nothing opens it."""
    for part in file.parent.glob(f"{file.name}*"):
        part.unlink()
    file.mkdir()
