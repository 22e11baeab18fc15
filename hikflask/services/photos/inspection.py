"""Checks a photo before it is sent: is there one face, is it large, sharp, well lit and upright enough?

A child process does the work (inspection_program.py). It needs OpenCV to find the face; without it, the checks that
need the face are left out, and `CheckedPhoto.faces_checked` is False.
"""

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from queue import SimpleQueue
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO, Any, TypeVar, cast

from flask import current_app

from hikflask.services.core.db import end_read
from hikflask.services.photos import jpeg, jpeg_process, without_app
from hikflask.services.photos.inspection_checks import Finding
from hikflask.signs_of_life import signs

# Degrees clockwise.
TURNS = (0, 90, 180, 270)
PROGRAM = [*jpeg_process.PYTHON, without_app.__file__, "hikflask.services.photos.inspection_program"]
# Numerical libraries start a thread for each core, each with its own memory.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
# What the program is told beside its name to give way to everybody else.
IN_BACKGROUND = "background"
# A picture of an import with at most so many pixels, as phones take them, is small: it takes some 160 MB at most.
MAX_SMALL_PIXELS = 13_000_000
# So often, at most, a picture of an import waits for its turn or its end while others are busy, tried again and again.
WAITS = 12
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class CheckedPhoto:
    """A photo as it is kept (a baseline JPEG of at most 200 KB) and its findings.

    :ivar faces_checked: False when no library finds faces here, so that nothing is known of the face.
    :ivar thumbnail: a small JPEG, of a photo that is checked in the background.
    """

    jpeg: bytes
    findings: tuple[Finding, ...]
    faces_checked: bool
    thumbnail: bytes = b""


PhotoCheck = Callable[[IO[bytes]], CheckedPhoto]


def check_photo(stream: IO[bytes], *, turn: int = 0, crop: bool = False) -> CheckedPhoto:
    """Check one photo, as PhotoInspector.check() does."""
    with closing(PhotoInspector()) as inspector:
        return inspector.check(stream, turn=turn, crop=crop)


class PhotoInspector:
    """Checks one photo after another in a child process, each within its limits; close() ends the process.

    Starting it and loading OpenCV takes 0.2 s, so one process serves many photos of an import. It is started with
    the first photo, and anew after one that it did not survive.
    """

    def __init__(self, *, in_background: bool = False) -> None:
        # In the background, for an import, the process has a low priority, small pictures have turns of their own, so
        # that nobody at a page waits for them, and each photo gets a thumbnail.
        self._in_background = in_background
        self._process: subprocess.Popen[bytes] | None = None
        self._complaint = TemporaryFile()  # noqa: SIM115 - close() closes it

    def check(self, stream: IO[bytes], *, turn: int = 0, crop: bool = False) -> CheckedPhoto:
        """Return a photo as it is kept, turned and cropped as requested, with the findings about the result.

        :param turn: degrees clockwise, one of TURNS, after the turn that the EXIF data ask for.
        :param crop: cut out the face with the margins that terminals want, from the pixels of the file. Nothing is cut
            where no face is found, or where it would not have its margins then.
        :raises BadPhoto: when it is no JPEG, PNG or WebP, has more than 10 MB or more than 40 megapixels.
        :raises PhotosWaiting: when too many uploads wait already, or this one takes too long.
        """
        if turn not in TURNS:
            raise ValueError(f"a turn by {turn} degrees")
        end_read()  # A photo may have to wait for its turn.
        detect = current_app.config["FACE_DETECTION"] != "off"
        reply, picture = self.send(stream, {"turn": turn, "crop": crop, "detect": detect})
        findings = tuple(Finding(**fields) for fields in reply["findings"])
        kept, thumbnail = picture[: reply["size"]], picture[reply["size"] :]
        return CheckedPhoto(kept, findings, reply["faces_checked"], thumbnail)

    def send(self, stream: IO[bytes], options: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Send an upload to the program; return its reply, and the JPEG with the thumbnail behind it.

        Errors are those of check().
        """
        options = {**options, "thumbnail": self._in_background}
        reply, picture = {"status": jpeg.TooManyPixels.status}, b""
        if self._in_background:
            with jpeg_process.uploaded(stream, jpeg_process.small_turn()) as upload:
                reply, picture = self._ask(upload, {**options, "max_pixels": MAX_SMALL_PIXELS})
            stream.seek(0)
        if reply["status"] == jpeg.TooManyPixels.status:
            with jpeg_process.uploaded(stream) as upload:
                reply, picture = self._ask(upload, {**options, "max_pixels": jpeg.MAX_PIXELS})
        if reply["status"]:
            raise jpeg_process.failure(reply["status"], b"")
        return reply, picture

    def _ask(self, upload: IO[bytes], options: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        process = self._process = self._process or subprocess.Popen(  # noqa: S603 - nothing of the command comes from outside
            [*PROGRAM, IN_BACKGROUND] if self._in_background else PROGRAM,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaint,
            env=os.environ | ONE_THREAD | {"HIKFLASK_FACE_DETECTION": current_app.config["FACE_DETECTION"]},
        )
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(jpeg_process.max_wait(), end)
        timer.start()
        try:
            return _exchange(process, upload, options)
        except (BrokenPipeError, EOFError) as error:
            self._process = None
            with suppress(BrokenPipeError):
                process.communicate()
            if late.is_set():
                raise jpeg_process.timeout_refusal() from error
            self._complaint.seek(0)
            raise jpeg_process.failure(process.returncode, self._complaint.read()) from error
        finally:
            timer.cancel()

    def close(self) -> None:
        """End the process; it ends by itself when its input does."""
        if self._process:
            self._process.communicate()
        self._complaint.close()


class PhotoInspectors:
    """Checks the photos of an import, several at once, each in a process of its own; close() ends them."""

    def __init__(self) -> None:
        self._inspectors = [PhotoInspector(in_background=True) for _ in range(jpeg_process.SMALL_AT_ONCE)]
        self._idle: SimpleQueue[PhotoInspector] = SimpleQueue()
        for inspector in self._inspectors:
            self._idle.put(inspector)
        self._threads = ThreadPoolExecutor(len(self._inspectors), "photos")

    def map(self, work: Callable[[PhotoCheck, Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Yield what the work returns for each item, in their order. It is called with PhotoInspector.check(), too."""
        app = current_app._get_current_object()  # type: ignore[attr-defined]

        def work_on(item: Item) -> Result:
            inspector = self._idle.get()
            try:
                with app.app_context():
                    return work(inspector.check, item)
            finally:
                self._idle.put(inspector)

        seconds = WAITS * jpeg_process.max_wait()
        signs.goes_on(seconds)
        for result in self._threads.map(work_on, items):
            yield result
            signs.goes_on(seconds)

    def close(self) -> None:
        """Let the photos that are being checked end, and then the processes."""
        self._threads.shutdown(cancel_futures=True)
        for inspector in self._inspectors:
            inspector.close()


def _exchange(
    process: subprocess.Popen[bytes], upload: IO[bytes], options: Mapping[str, Any]
) -> tuple[dict[str, Any], bytes]:
    """Write a line of JSON and the upload; read a line of JSON and the picture.

    :raises EOFError: when the process ended before its answer did.
    """
    stdin, stdout = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
    stdin.write(json.dumps({**options, "size": os.fstat(upload.fileno()).st_size}).encode() + b"\n")
    copyfileobj(upload, stdin)
    stdin.flush()
    line = stdout.readline()
    if not line:
        raise EOFError
    reply: dict[str, Any] = json.loads(line)
    size = reply["size"] + reply.get("thumbnail", 0)
    picture = stdout.read(size)
    if len(picture) != size:
        raise EOFError
    return reply, picture
