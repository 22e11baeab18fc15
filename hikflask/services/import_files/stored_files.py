"""The uploaded files of imports: only this account reads them, under random names, and not for longer than needed."""

import fcntl
import logging
import os
import secrets
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from flask import current_app

from hikflask.services.core import no_space
from hikflask.services.core.errors import ServiceError

log = logging.getLogger(__name__)

CHUNK = 1024 * 1024
# Behind the name of an archive of photos: that of its thumbnails.
THUMBNAILS = ".thumbnails"


def folder() -> Path:
    """Return the folder of the files, which is made when it is missing."""
    path = Path(current_app.config["INSTANCE_PATH"]) / "imports"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def path_of(name: str) -> Path:
    """Return the path of a stored file."""
    return folder() / name


def beside(name: str) -> str:
    """Return the name of the file that may be stored beside an archive of photos, and is removed with it."""
    return f"{name}{THUMBNAILS}"


def keep(stream: IO[bytes], max_bytes: int, refusal: ServiceError) -> str:
    """Store a file and return its name; nothing stays of one that is refused.

    :param max_bytes: of the file.
    :raises ServiceError: `refusal`, when the file has more. :raises no_space:
    """
    name = secrets.token_urlsafe(16)
    try:
        with no_space.refused(), _created(name) as file:
            while chunk := stream.read(CHUNK):
                file.write(chunk)
                if file.tell() > max_bytes:
                    raise refusal
    except BaseException:
        remove(name)
        raise
    return name


@contextmanager
def written_alone() -> Iterator[None]:
    """A lock by which one thread of one process at a time reads stored files and writes them anew."""
    handle = os.open(folder(), os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def replaced(name: str) -> Iterator[IO[bytes]]:
    """Within its block another content of a stored file is written, which takes its place at the end, at once."""
    draft = f"{name}.part"
    remove(draft)  # A process that was killed may have left one.
    try:
        with _created(draft) as file:
            yield file
        path_of(draft).replace(path_of(name))
    except BaseException:
        remove(draft)
        raise


def _created(name: str) -> IO[bytes]:
    return os.fdopen(os.open(path_of(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def remove(name: str) -> bool:
    """Remove a stored file and the one beside it; return False and log why when that fails.

    A missing file is no error.
    """
    try:
        path_of(beside(name)).unlink(missing_ok=True)
        path_of(name).unlink(missing_ok=True)
    except OSError as error:
        log.error("the file %s of an import cannot be removed (%s)", name, error.strerror)
        return False
    return True


def remove_strays(names: Collection[str], older_than: float) -> int:
    """Remove the files that have other names than these, as those of a process that was killed; return how many.

    :param older_than: seconds; a younger file may still be being written.
    """
    old = time.time() - older_than
    strays = [path for path in folder().iterdir() if path.name.removesuffix(THUMBNAILS) not in names]
    return sum(remove(path.name) for path in strays if path.lstat().st_mtime < old)
