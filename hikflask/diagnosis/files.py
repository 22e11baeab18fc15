"""The instance folder: who may read it, and how much room there is."""

import stat
from collections.abc import Iterator
from pathlib import Path

from hikflask import disk_space
from hikflask.diagnosis import Finding, good, wrong
from hikflask.disk_space import Disk

PRIVATE = ("secret_key", "password_key", "hikflask.sqlite3", "queue.sqlite3", "uploads", "config.py", "backups")


def check(folder: Path) -> Iterator[Finding]:
    """Check who can read what is in the instance folder, and how much room there is."""
    yield from _modes(folder)
    yield from map(_space, disk_space.read(folder))


def _modes(folder: Path) -> Iterator[Finding]:
    # What lies in a folder that nobody else can enter is as private as the folder.
    if not _others_may(folder):
        yield good(f"Nobody else can read {folder}.")
        return
    exposed = [path for path in _present(folder)[1:] if _others_may(path)]
    for path in exposed:
        yield wrong(f"Others can read {path}: run `chmod go= {path}`.")
    if not exposed:
        yield good(f"Nobody else can read the keys, the database and the photos in {folder}.")


def _space(disk: Disk) -> Finding:
    if disk.is_full:
        return wrong(disk_space.describe(disk))
    free, size = disk.free / 1024**3, disk.size / 1024**3
    text = f"{free:.1f} of {size:.1f} GB are free where {disk.folder} is"
    if disk.is_low:
        return wrong(f"Only {text}: delete what is not needed there, or make the disk larger.")
    return good(f"{text}.")


def _present(folder: Path) -> list[Path]:
    return [folder, *(path for name in PRIVATE if (path := folder / name).exists())]


def _others_may(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
