"""Uploads are decoded one at a time, each in a process of its own (see pictures.py).

A large picture takes hundreds of megabytes, and a thread of the service would keep them: glibc gives little back. A
process gives back everything, and can be held to a limit.
"""

import logging
import math
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO

from flask import current_app

from hikflask.services.core.errors import BadPhoto, PhotosWaiting, PhotoTooLarge, PhotoTooManyPixels
from hikflask.services.photos import jpeg

log = logging.getLogger(__name__)

LARGEST_FILE = 10 * 1024 * 1024
# -P: the folder of the program holds modules of the app, not of the standard library.
PROGRAM = [sys.executable, "-P", "-W", "ignore", jpeg.__file__]
REFUSALS: dict[int, type[BadPhoto]] = {
    jpeg.Unreadable.status: BadPhoto,
    jpeg.TooManyPixels.status: PhotoTooManyPixels,
}
# Each upload holds a thread while it waits: these few leave the others to pages (deploy/gunicorn.conf.py).
AT_ONCE, WAITING = 1, 5
_PLACES, _TURNS = threading.BoundedSemaphore(AT_ONCE + WAITING), threading.BoundedSemaphore(AT_ONCE)


def baseline_jpeg(stream: IO[bytes]) -> bytes:
    """Turn an upload by its EXIF, drop its metadata and encode it as terminals take it: baseline, 4:2:0, ≤ 200 KB.

    :raises BadPhoto: when it is no JPEG or PNG, over 10 MB or over 40 megapixels.
    :raises PhotosWaiting: when too many wait already, its turn did not come within HIKFLASK_UPLOAD_WAIT, it took as
        long again itself, or it was interrupted.
    """
    with _turn(), TemporaryFile() as upload:
        copyfileobj(stream, upload)
        if upload.tell() > LARGEST_FILE:
            raise PhotoTooLarge
        upload.seek(0)
        return _decoded(upload)


@contextmanager
def _turn() -> Iterator[None]:
    with _held(_PLACES, 0.0), _held(_TURNS, _wait()):
        yield


@contextmanager
def _held(places: threading.BoundedSemaphore, seconds: float) -> Iterator[None]:
    if not places.acquire(timeout=seconds):
        raise _too_late()
    try:
        yield
    finally:
        places.release()


def _decoded(upload: IO[bytes]) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - nothing of the command comes from outside
            PROGRAM, stdin=upload, capture_output=True, check=False, timeout=_wait()
        )
    except subprocess.TimeoutExpired as error:
        raise _too_late() from error
    if done.returncode < 0:
        # When the service stops, or the machine has no memory left.
        log.error("the decoder was ended by signal %s", -done.returncode)
        raise _too_late()
    if done.returncode in REFUSALS:
        raise REFUSALS[done.returncode]
    if done.returncode:
        raise RuntimeError(f"the decoder ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def _too_late() -> PhotosWaiting:
    return PhotosWaiting(seconds=math.ceil(_wait()))


def _wait() -> float:
    seconds: float = current_app.config["UPLOAD_WAIT"]
    return seconds
