"""The child process that checks photos (quality_program.py): one photo after another, each within its limits.

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
    """A child process that is started with the first photo; close() ends it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._complaint = TemporaryFile()  # noqa: SIM115 - close() closes it

    def ask(self, stream: IO[bytes], options: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Return the reply of the program about an upload, and the JPEG.

        :raises BadPhoto: when it is no JPEG or PNG, has more than 10 MB or more than 40 megapixels.
        :raises PhotosWaiting: when too many uploads wait already, or this one takes too long.
        """
        with jpeg_process.uploaded(stream) as upload:
            process = self._process = self._process or subprocess.Popen(  # noqa: S603 - nothing of the command comes from outside
                PROGRAM,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaint,
                env=os.environ | ONE_THREAD,
            )
            with _ended_in_time(process) as late:
                try:
                    reply, picture = _exchange(process, upload, options)
                except (BrokenPipeError, EOFError) as error:
                    self._process = None
                    raise self._failure(process, late) from error
        if reply["status"]:
            raise jpeg_process.failure(reply["status"], b"")
        return reply, picture

    def close(self) -> None:
        """End the process; it ends by itself when its input does."""
        if self._process:
            self._process.communicate()
        self._complaint.close()

    def _failure(self, process: subprocess.Popen[bytes], late: threading.Event) -> Exception:
        with suppress(BrokenPipeError):
            process.communicate()
        if late.is_set():
            return jpeg_process.timeout_refusal()
        self._complaint.seek(0)
        return jpeg_process.failure(process.returncode, self._complaint.read())


@contextmanager
def _ended_in_time(process: subprocess.Popen[bytes]) -> Iterator[threading.Event]:
    """End the process when the block takes too long; the event is set then."""
    late = threading.Event()

    def end() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(jpeg_process.max_wait(), end)
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()


def _exchange(
    process: subprocess.Popen[bytes], upload: IO[bytes], options: Mapping[str, Any]
) -> tuple[dict[str, Any], bytes]:
    """Write a line of JSON and the upload; read a line of JSON and the picture."""
    if process.stdin is None or process.stdout is None:
        raise EOFError
    request = {**options, "size": os.fstat(upload.fileno()).st_size}
    process.stdin.write(json.dumps(request).encode() + b"\n")
    copyfileobj(upload, process.stdin)
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise EOFError
    reply: dict[str, Any] = json.loads(line)
    picture = process.stdout.read(reply["size"])
    if len(picture) != reply["size"]:
        raise EOFError
    return reply, picture
