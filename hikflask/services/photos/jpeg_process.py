"""Runs jpeg.py in a child process for each upload, one at a time.

Decoding a large picture takes hundreds of megabytes. A thread of the service would keep them, since glibc gives little
memory back to the system. A process gives back everything when it ends, and its memory can be limited.
"""

import logging
import math
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO

from flask import current_app

from hikflask.services.core.errors import BadPhoto, PhotosWaiting, PhotoTooLarge, PhotoTooManyPixels
from hikflask.services.photos import jpeg, without_app

log = logging.getLogger(__name__)

LARGEST_FILE = 10 * 1024 * 1024
# -P: modules of the app are not to be taken for modules of the standard library with the same name.
PYTHON = [sys.executable, "-P", "-W", "ignore"]
PROGRAM = [*PYTHON, jpeg.__file__]
QUALITY_PROGRAM = [*PYTHON, without_app.__file__, "hikflask.services.photos.quality_program"]
REFUSALS: dict[int, type[BadPhoto]] = {
    jpeg.Unreadable.status: BadPhoto,
    jpeg.TooManyPixels.status: PhotoTooManyPixels,
}
# Numerical libraries start a thread for each core, each with its own memory.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
# An upload keeps a thread while it waits. These limits leave enough threads for pages (deploy/gunicorn.conf.py).
AT_ONCE, WAITING = 1, 5
_PLACES, _TURNS = threading.BoundedSemaphore(AT_ONCE + WAITING), threading.BoundedSemaphore(AT_ONCE)


def baseline_jpeg(stream: IO[bytes]) -> bytes:
    """Return an upload as terminals take it: turned by its EXIF, without metadata, baseline, 4:2:0, at most 200 KB.

    :raises BadPhoto: when it is no JPEG or PNG, has more than 10 MB or more than 40 megapixels.
    :raises PhotosWaiting: when too many uploads wait already, when its turn does not come or its decoding does not end
        within HIKFLASK_UPLOAD_WAIT seconds, or when the child process is killed.
    """
    return _run(PROGRAM, stream)


def looked_at(stream: IO[bytes], arguments: Sequence[str]) -> bytes:
    """Return what quality_program.py writes about an upload.

    :raises BadPhoto, PhotosWaiting: as baseline_jpeg().
    """
    return _run([*QUALITY_PROGRAM, *arguments], stream)


def _run(command: Sequence[str], stream: IO[bytes]) -> bytes:
    with _turn(), TemporaryFile() as upload:
        copyfileobj(stream, upload)
        if upload.tell() > LARGEST_FILE:
            raise PhotoTooLarge
        upload.seek(0)
        return _ended(command, upload)


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


def _ended(command: Sequence[str], upload: IO[bytes]) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - nothing of the command comes from outside
            command, stdin=upload, capture_output=True, check=False, timeout=_wait(), env=os.environ | ONE_THREAD
        )
    except subprocess.TimeoutExpired as error:
        raise _too_late() from error
    if done.returncode < 0:
        # The service stops, or the machine has no memory left.
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
