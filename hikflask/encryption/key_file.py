"""Files with keys: created once, readable by their owner only, replaced as a whole and by one process at a time."""

import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def split(text: str) -> list[str]:
    """Return the keys in a text, in their order: there are line ends, commas or spaces between them."""
    return re.findall(r"[^\s,]+", text)


def create(file: Path, text: str) -> None:
    """Create the file with its text in one step, so that no other process can read half a key.

    :raises FileExistsError: when another process was faster.
    """
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    try:
        _write(draft, text)
        os.link(draft, file)
    finally:
        draft.unlink(missing_ok=True)
    sync(file.parent)


def replace(file: Path, text: str) -> None:
    """Replace the whole text of the file, and write it to the disk. Call this within held().

    :raises OSError: when that is not possible; then the old text is still there.
    """
    file = file.resolve()
    draft = file.with_name(f"{file.name}.new")
    draft.unlink(missing_ok=True)  # left by a process that was killed
    try:
        _write(draft, text)
        give(draft, file)
        os.replace(draft, file)
    finally:
        draft.unlink(missing_ok=True)
    sync(file.parent)


@contextmanager
def held(file: Path) -> Iterator[None]:
    """Lock the file against other processes within the block. The lock also ends with the process.

    :raises BlockingIOError: when another process has the lock. :raises OSError: when the file cannot be locked at all.
    """
    lock = file.with_name(f"{file.name}.lock")
    handle = os.open(lock, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        give(lock, file)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _write(draft: Path, text: str) -> None:
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(text + "\n")
        stream.flush()
        os.fsync(handle)


def give(file: Path, like: Path) -> None:
    """Give a new file the owner of another one: when root runs a command, the service must still be able to read it."""
    if os.geteuid() == 0:
        owner = like.stat()
        os.chown(file, owner.st_uid, owner.st_gid)


def sync(folder: Path) -> None:
    """Write a folder's names to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
