"""The child process that looks at photos (quality_program.py): one photo after another, each within its limits.

Starting it and loading OpenCV takes 0.2 s, so one process serves all the photos of an import. It is started with the
first photo, and anew after one that it did not survive.
"""

import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO, Any

from hikflask.services.photos import jpeg_process, without_app

PROGRAM = [*jpeg_process.PYTHON, without_app.__file__, "hikflask.services.photos.quality_program"]
# Numerical libraries start a thread for each core, each with its own memory.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class Child:
    """A child process, or none as long as nothing was asked; close() ends it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._complaint = TemporaryFile()  # noqa: SIM115 - close() closes it

    def ask(self, stream: IO[bytes], wishes: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Return what the program says of an upload, and the JPEG.

        :raises BadPhoto, PhotosWaiting: as jpeg_process.baseline_jpeg().
        """
        with jpeg_process.uploaded(stream) as upload:
            said, picture = self._asked(upload, wishes)
        if said["status"]:
            raise jpeg_process.failure(said["status"], b"")
        return said, picture

    def close(self) -> None:
        """End the process; it ends by itself when its input does."""
        if self._process:
            self._process.communicate()
        self._complaint.close()

    def _asked(self, upload: IO[bytes], wishes: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        process = self._process = self._process or self._started()
        with _ended_in_time(process) as late:
            try:
                return _asked(process, upload, wishes)
            except (BrokenPipeError, EOFError) as error:
                self._process = None
                raise self._failure(process, late) from error

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - nothing of the command comes from outside
            PROGRAM,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaint,
            env=os.environ | ONE_THREAD,
        )

    def _failure(self, process: subprocess.Popen[bytes], late: threading.Event) -> Exception:
        with suppress(BrokenPipeError):
            process.communicate()
        if late.is_set():
            return jpeg_process.too_late()
        self._complaint.seek(0)
        return jpeg_process.failure(process.returncode, self._complaint.read())


@contextmanager
def _ended_in_time(process: subprocess.Popen[bytes]) -> Iterator[threading.Event]:
    """End the process when the block takes too long; the event then says so."""
    late = threading.Event()

    def end() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(jpeg_process.longest_wait(), end)
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()


def _asked(
    process: subprocess.Popen[bytes], upload: IO[bytes], wishes: Mapping[str, Any]
) -> tuple[dict[str, Any], bytes]:
    """Write a line of JSON and the upload; read a line of JSON and the picture."""
    if process.stdin is None or process.stdout is None:
        raise EOFError
    line = {**wishes, "size": os.fstat(upload.fileno()).st_size}
    process.stdin.write(json.dumps(line).encode() + b"\n")
    copyfileobj(upload, process.stdin)
    process.stdin.flush()
    said: dict[str, Any] = json.loads(process.stdout.readline() or _nothing())
    picture = process.stdout.read(said["size"])
    if len(picture) != said["size"]:
        raise EOFError
    return said, picture


def _nothing() -> str:
    raise EOFError
