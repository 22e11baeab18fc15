"""Runs jpeg.py in a child process for each upload, one at a time.

Decoding a large picture takes hundreds of megabytes. A thread of the service would keep them, since glibc gives little
memory back to the system. A process gives back everything when it ends, and its memory can be limited.
"""

import logging
import math
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO

from flask import current_app

from hikflask.services.core.db import end_read
from hikflask.services.core.errors import BadPhoto, PhotosWaiting
from hikflask.services.photos import jpeg
from hikflask.signs_of_life import signs

log = logging.getLogger(__name__)

MAX_FILE_BYTES = 10 * 1024 * 1024
# -P: modules of the app are not to be taken for modules of the standard library with the same name.
PYTHON = [sys.executable, "-P", "-W", "ignore"]
PROGRAM = [*PYTHON, jpeg.__file__]
REFUSALS = {
    jpeg.Unreadable.status: "photo_unreadable",
    jpeg.TooManyPixels.status: "photo_too_many_pixels",
    jpeg.Heic.status: "photo_heic",
}
# An upload keeps a thread while it waits. These limits leave enough threads for pages (deploy/gunicorn.conf.py).
AT_ONCE, WAITING = 1, 5
_PLACES, _TURNS = threading.BoundedSemaphore(AT_ONCE + WAITING), threading.BoundedSemaphore(AT_ONCE)
# Besides, so many small pictures of imports, which take little memory: one for each core of the usual machine.
SMALL_AT_ONCE = 2
_SMALL_TURNS = threading.BoundedSemaphore(SMALL_AT_ONCE)
# And so many faces of lists, which wait for no import: each keeps a thread of the pages.
FACES_AT_ONCE = 2
_FACE_TURNS = threading.BoundedSemaphore(FACES_AT_ONCE)


def baseline_jpeg(stream: IO[bytes]) -> bytes:
    """Return an upload as terminals take it: turned by its EXIF, without metadata, baseline, 4:2:0, at most 200 KB.

    :raises BadPhoto: when it is no JPEG, PNG or WebP, has more than 10 MB or more than 40 megapixels.
    :raises PhotosWaiting: when too many uploads wait already, when its turn does not come or its decoding does not end
        within HIKFLASK_UPLOAD_WAIT seconds, or when the child process is killed.
    """
    with uploaded(stream) as upload:
        try:
            process = subprocess.run(  # noqa: S603 - nothing of the command comes from outside
                PROGRAM, stdin=upload, capture_output=True, check=False, timeout=max_wait()
            )
        except subprocess.TimeoutExpired as error:
            raise timeout_refusal() from error
    if process.returncode:
        raise failure(process.returncode, process.stderr)
    return process.stdout


@contextmanager
def uploaded(stream: IO[bytes], turn: AbstractContextManager[None] | None = None) -> Iterator[IO[bytes]]:
    """Wait for a turn, then yield a temporary file with the upload in it.

    :param turn: another one than usual_turn().
    :raises photo_too_large: when the upload has more than 10 MB.
    :raises PhotosWaiting: when too many uploads wait already, or its turn does not come in time.
    """
    with turn or usual_turn(), TemporaryFile() as upload:
        copyfileobj(stream, upload)
        if upload.tell() > MAX_FILE_BYTES:
            raise BadPhoto("photo_too_large")
        upload.seek(0)
        yield upload


@contextmanager
def usual_turn() -> Iterator[None]:
    """Wait for the turn of a picture that may be large. :raises PhotosWaiting:"""
    with _held(_PLACES, 0.0), _held(_TURNS, max_wait()):
        yield


def small_turn() -> AbstractContextManager[None]:
    """Wait for the turn of a small picture of an import, beside which those of pages go on. :raises PhotosWaiting:"""
    return _held(_SMALL_TURNS, max_wait())


def small(picture: bytes) -> bytes:
    """Return a stored picture as lists show it; one that cannot be decoded, as it is.

    This process does it itself, of at most 4 megapixels: a face that it stored takes 3 ms and a megabyte, and the worst
    that a terminal may show for a passage 0.3 s and 24 MB.

    :raises PhotosWaiting:
    """
    end_read()  # It may have to wait for its turn.
    with _held(_FACE_TURNS, max_wait()), suppress(jpeg.Unreadable):
        return jpeg.small(picture)
    return picture


@contextmanager
def _held(places: threading.BoundedSemaphore, seconds: float) -> Iterator[None]:
    signs.goes_on(2 * seconds)  # For the turn, and then for its decoding.
    if not places.acquire(timeout=seconds):
        raise timeout_refusal()
    try:
        yield
    finally:
        places.release()


def failure(status: int, complaint: bytes) -> Exception:
    """Return the error for the exit status of a decoder and its standard error."""
    if status < 0:
        # The service stops, or the machine has no memory left.
        log.error("the decoder was ended by signal %s", -status)
        return timeout_refusal()
    if status in REFUSALS:
        return BadPhoto(REFUSALS[status])
    return RuntimeError(f"the decoder ended with {status}: {complaint.decode(errors='replace')}")


def timeout_refusal() -> PhotosWaiting:
    """Return the refusal of an upload that took too long."""
    return PhotosWaiting(seconds=math.ceil(max_wait()))


def max_wait() -> float:
    """Return the limit in seconds for the wait of an upload, and again for its decoding."""
    seconds: float = current_app.config["UPLOAD_WAIT"]
    return seconds
