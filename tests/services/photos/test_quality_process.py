"""One child process looks at one photo after another, each within its limits, and imports nothing of the app."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image

from hikflask.services.core.errors import BadPhoto, PhotosWaiting
from hikflask.services.photos.jpeg_process import MAX_FILE_BYTES
from hikflask.services.photos.quality_process import ONE_THREAD, PROGRAM, Child
from tests.benchmarks import memory
from tests.processes.processes import until
from tests.support import drawn_faces
from tests.support.drawn_faces import FAIR, grainy, place, portrait

pytestmark = pytest.mark.usefixtures("context")

AS_IT_IS = {"turn": 0, "crop": False, "detect": True}
CROPPED = {**AS_IT_IS, "crop": True}
MEASURE = (
    "import resource, subprocess, sys;"
    "subprocess.run(sys.argv[1:], stdin=sys.stdin, stdout=sys.stderr, check=True);"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)


@pytest.fixture
def child() -> Iterator[Child]:
    """A child process that is ended after the test."""
    child = Child()
    yield child
    child.close()


@pytest.fixture(scope="module")
def photo() -> bytes:
    """A good photo."""
    return drawn_faces.jpeg(grainy(portrait()))


def started() -> set[int]:
    return set(memory.children(os.getpid()))


def test_one_process_looks_at_many_photos_and_ends(child: Child, photo: bytes) -> None:
    before, seen = started(), set()

    for _ in range(3):
        said, jpeg = child.ask(io.BytesIO(photo), AS_IT_IS)
        assert said["findings"] == []
        assert jpeg.startswith(b"\xff\xd8\xff")
        seen |= started() - before
    child.close()

    assert len(seen) == 1
    assert started() == before


def test_what_is_refused_is_said_and_the_next_photo_is_looked_at(child: Child, photo: bytes) -> None:
    unreadable = "photo_unreadable"
    for upload, code in ((b"", unreadable), (photo[:500], unreadable), (bytes(MAX_FILE_BYTES + 1), "photo_too_large")):
        with pytest.raises(BadPhoto) as refused:
            child.ask(io.BytesIO(upload), AS_IT_IS)
        assert refused.value.code == code

    assert child.ask(io.BytesIO(photo), AS_IT_IS)[0]["faces_checked"]


def test_photo_that_takes_too_long_is_refused_and_the_next_one_is_looked_at(
    app: Flask, child: Child, photo: bytes
) -> None:
    usual, app.config["UPLOAD_WAIT"] = app.config["UPLOAD_WAIT"], 0.001
    with pytest.raises(PhotosWaiting):
        child.ask(io.BytesIO(photo), AS_IT_IS)

    app.config["UPLOAD_WAIT"] = usual
    assert child.ask(io.BytesIO(photo), AS_IT_IS)[1]


def test_photo_whose_process_is_killed_may_be_tried_again(
    child: Child, photo: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    others = started()

    def kill() -> None:
        until(lambda: bool(started() - others))
        os.kill((started() - others).pop(), signal.SIGKILL)

    with ThreadPoolExecutor(1) as other:
        killed = other.submit(kill)
        with pytest.raises(PhotosWaiting):
            child.ask(io.BytesIO(photo), AS_IT_IS)
    killed.result()

    assert caplog.messages == ["the decoder was ended by signal 9"]
    assert child.ask(io.BytesIO(photo), AS_IT_IS)[1]


def test_program_that_does_not_start_is_our_fault_and_says_why(
    child: Child, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")

    with pytest.raises(RuntimeError, match=r"(?s)the decoder ended with 1: .*/nowhere"):
        child.ask(io.BytesIO(photo), AS_IT_IS)


def test_without_the_library_all_but_the_face_is_looked_at(
    child: Child, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What `import cv2` finds first is as good as a library that is not there.
    (tmp_path / "cv2.py").write_text("raise ImportError('No module named cv2')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    dark = drawn_faces.jpeg(drawn_faces.lit(portrait((300, 400)), 0.1))

    said, jpeg = child.ask(io.BytesIO(dark), CROPPED)

    assert not said["faces_checked"]
    assert [one["code"] for one in said["findings"]] == ["photo_dark"]
    assert Image.open(io.BytesIO(jpeg)).size == (300, 400)


def test_program_imports_nothing_of_the_app() -> None:
    *python, program, module = PROGRAM
    command = [*python, "-X", "importtime", program, module]
    told = subprocess.run(command, input=b"", capture_output=True, check=True).stderr

    assert b" hikflask.services.photos.jpeg\n" in told
    assert not [name for name in (b"flask", b"sqlalchemy", b"hikflask.services.core") if b" " + name + b"\n" in told]


def largest(mode: str) -> Image.Image:
    """A small face in a picture of 40 megapixels: it is decoded twice for cropping."""
    photo = Image.new("RGB", (6300, 6300), (190, 200, 210))
    place(photo, FAIR, (3000, 3000), 300)
    return photo.convert(mode)


@pytest.mark.long
@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("RGBA", {"format": "PNG", "compress_level": 1}),
        ("RGB", {"format": "PNG", "compress_level": 1, "transparency": (0, 0, 0)}),
        ("CMYK", {"format": "JPEG", "progressive": True, "subsampling": 0}),
    ],
)
def test_largest_picture_that_is_cropped_stays_within_memory(mode: str, options: dict[str, object]) -> None:
    out = io.BytesIO()
    largest(mode).save(out, **options)
    asked = f'{{"size": {out.tell()}, "turn": 90, "crop": true, "detect": true}}\n'.encode() + out.getvalue()
    # By a process between, since what a process begins with counts for those that it starts, too.
    command = [sys.executable, "-c", MEASURE, *PROGRAM]
    measured = subprocess.run(
        command, input=asked, capture_output=True, check=True, timeout=60, env=os.environ | ONE_THREAD
    )

    assert b'"status": 0' in measured.stderr
    assert int(measured.stdout) < 600 * 1024
