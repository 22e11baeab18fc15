"""How much space is left on the disks that the program writes to, and which errors say that there is none."""

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from psycopg.errors import DiskFull
from sqlalchemy.exc import OperationalError

DATA, BACKUPS = "data", "backups"
# With less than one of these free, somebody should make room soon.
MIN_FREE_BYTES = 1024**3
MIN_FREE_SHARE = 0.05
# With less than this, a photo or the log of the database does not fit any more.
FULL_BYTES = 16 * 1024**2
# Where uploads wait until they are read.
TEMPORARY = Path(os.environ.get("TMPDIR", "/tmp"))  # noqa: S108
# What is raised when a write finds no space, among others: explain() tells which.
ERRORS = (OSError, OperationalError, sqlite3.OperationalError, DiskFull)
DATABASE_SERVER = "PostgreSQL"
ON_THE_SERVER = "No space left on the disk of the PostgreSQL server: make room there."


@dataclass(frozen=True)
class Disk:
    """A disk: what it is for here, the folder on it, and how many of its bytes are free."""

    place: str
    folder: Path
    free: int
    size: int

    @property
    def is_low(self) -> bool:
        """True when somebody should make room soon."""
        return self.free < max(MIN_FREE_BYTES, MIN_FREE_SHARE * self.size)

    @property
    def is_full(self) -> bool:
        """True when what has to be written may not fit any more."""
        return self.free < FULL_BYTES


def read(instance: Path) -> list[Disk]:
    """Return the disk of the instance folder, and the one of the backups beside it where that is another one."""
    backups = instance.with_name(f"{instance.name}-backups")
    return [*_disk(DATA, instance), *(_disk(BACKUPS, backups) if _is_elsewhere(backups, instance) else ())]


def explain(error: BaseException, *folders: Path) -> str:
    """Return in a sentence that there is no space left, where that is what an error says, else an empty text.

    :param folders: what was written to; the one with the least space is named.
    """
    if isinstance(_cause(error), DiskFull):
        return ON_THE_SERVER
    fullest = _fullest(error, folders)
    return describe(fullest) if fullest else ""


def place(error: BaseException, *folders: Path) -> str:
    """Return where there is no space left, where that is what an error says, else an empty text."""
    if isinstance(_cause(error), DiskFull):
        return DATABASE_SERVER
    fullest = _fullest(error, folders)
    return str(fullest.folder) if fullest else ""


def full(folder: Path) -> Disk | None:
    """Return the disk of a folder when it is full, else None."""
    return next((disk for disk in _disk(DATA, folder) if disk.is_full), None)


def read_only(*folders: Path) -> str:
    """Return in a sentence that the disk of one of these folders is mounted read-only, else an empty text."""
    for folder in folders:
        with suppress(OSError):  # There is no such folder.
            if os.statvfs(folder).f_flag & os.ST_RDONLY:
                return (
                    f"The disk of {folder} is read-only, as the kernel makes one that has errors: `dmesg` says why. "
                    "Once it is sound, restart this machine, or mount it for writing with `mount -o remount,rw`."
                )
    return ""


def describe(disk: Disk) -> str:
    """Return the sentence for a disk without space, with what to do."""
    return (
        f"No space left where {disk.folder} is: {disk.free:,} of {disk.size:,} bytes are free. "
        "Make room elsewhere on this disk, or make it larger; what lies in that folder is needed."
    )


def _cause(error: BaseException) -> object:
    return getattr(error, "orig", error)


def _fullest(error: BaseException, folders: Sequence[Path]) -> Disk | None:
    """Return the disk with the least space, where that is what an error is about."""
    disks = [disk for folder in folders for disk in _disk(DATA, folder)]
    fullest = min(disks, key=lambda disk: disk.free, default=None)
    return fullest if fullest and _lacks_space(_cause(error), fullest) else None


def _lacks_space(cause: object, disk: Disk) -> bool:
    if isinstance(cause, OSError):
        return cause.errno in {errno.ENOSPC, errno.EDQUOT}
    name = str(getattr(cause, "sqlite_errorname", ""))
    # To read, too, SQLite needs some space beside its file, and says no more than that input or output failed.
    return name == "SQLITE_FULL" or (name.startswith("SQLITE_IOERR") and disk.is_full)


def _disk(place: str, folder: Path) -> Iterator[Disk]:
    with suppress(OSError):  # There is no such folder, or it cannot be asked.
        usage = shutil.disk_usage(folder)
        yield Disk(place, folder, usage.free, usage.total)


def _is_elsewhere(folder: Path, other: Path) -> bool:
    with suppress(OSError):
        return folder.stat().st_dev != other.stat().st_dev
    return False
