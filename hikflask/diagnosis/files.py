"""The files of the instance folder: who may read them, how much room there is, and whether all photos are there."""

import stat
from collections.abc import Iterator
from pathlib import Path

from hikflask import disk_space
from hikflask.diagnosis import Finding, good, wrong
from hikflask.disk_space import Disk
from hikflask.services.photos import lost_files, storage

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
    exposed = [path for name in PRIVATE if (path := folder / name).exists() and _others_may(path)]
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


def _others_may(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


MAX_NAMES = 3


def check_photos() -> Iterator[Finding]:
    """Check that the file of each photo is there. Needs an app context, and a database that can be used."""
    lost, count = lost_files.find()
    folder = storage.folder()
    if not lost:
        yield good(f"The files of all {count} photos are in {folder}.")
        return
    more = f" and {len(lost) - MAX_NAMES} more" if len(lost) > MAX_NAMES else ""
    yield wrong(
        f"The files of {len(lost)} of {count} photos are missing in {folder} "
        f"({', '.join(row.file for row in lost[:MAX_NAMES])}{more}): mount the disk that they are on, or put them back "
        "with `hikflask restore --photos FILE`, where FILE is the last backup that has them; take the others anew."
    )
