"""Uploads are decoded by a process of their own, one at a time, within limits; what it ends with is a refusal."""

import io
import os
import signal
import struct
import subprocess
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from flask import Flask
from PIL import Image

from hikflask.extensions import db
from hikflask.services.core.errors import BadPhoto, PhotosWaiting
from hikflask.services.photos import jpeg_process, storage
from hikflask.services.photos.jpeg_process import (
    FACES_AT_ONCE,
    PROGRAM,
    SMALL_AT_ONCE,
    WAITING,
    baseline_jpeg,
    small,
    small_turn,
)
from tests.benchmarks import memory
from tests.processes.processes import until
from tests.support.captures import FACE

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.child_processes]

MAX_FILE_BYTES = 10 * 1024 * 1024


class Slow(io.BytesIO):
    """An upload that goes on when it is told to."""

    def __init__(self) -> None:
        super().__init__(FACE)
        self.reached, self.go_on = threading.Event(), threading.Event()

    def read(self, size: int | None = -1) -> bytes:
        """Wait, then return the picture."""
        self.reached.set()
        self.go_on.wait(20)
        return super().read(size)


@contextmanager
def taking_a_turn(app: Flask) -> Iterator[None]:
    """Within its block another thread's upload has its turn; afterwards it must come to its end."""
    slow = Slow()

    def upload() -> bytes:
        with app.app_context():
            return baseline_jpeg(slow)

    with ThreadPoolExecutor(1) as other:
        other_upload = other.submit(upload)
        slow.reached.wait(20)
        try:
            yield
        finally:
            slow.go_on.set()
        assert other_upload.result().startswith(b"\xff\xd8\xff")


def png(width: int, height: int, rows: bytes) -> bytes:
    """A PNG of grey with transparency, 8 bits each."""
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 4, 0, 0, 0),
        b"IDAT": zlib.compress(rows, 1),
        b"IEND": b"",
    }
    framed = [
        struct.pack(">I", len(one)) + kind + one + struct.pack(">I", zlib.crc32(kind + one))
        for kind, one in chunks.items()
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


def webp(size: tuple[int, int]) -> bytes:
    """A WebP of one colour, whose 38 bytes differ by its size alone: twice 14 bits, in which it is less by one."""
    out = io.BytesIO()
    Image.new("RGBA", (1, 1), (200, 100, 50, 128)).save(out, "WEBP", lossless=True, method=0)
    smallest = out.getvalue()
    (bits,) = struct.unpack_from("<I", smallest, 21)
    return smallest[:21] + struct.pack("<I", bits | (size[0] - 1) | (size[1] - 1) << 14) + smallest[25:]


def test_webp_comes_back_as_a_jpeg_of_the_same_size_on_white() -> None:
    jpeg = Image.open(io.BytesIO(baseline_jpeg(io.BytesIO(webp((600, 800))))))

    assert (jpeg.format, jpeg.mode, jpeg.size) == ("JPEG", "RGB", (600, 800))
    assert jpeg.getpixel((300, 400)) == pytest.approx((227, 177, 152), abs=3)


@pytest.mark.parametrize(
    ("upload", "code"),
    [
        pytest.param(b"", "photo_unreadable", id="nothing"),
        pytest.param(FACE[:500], "photo_unreadable", id="half a JPEG"),
        pytest.param(png(8000, 5001, b""), "photo_too_many_pixels", id="over 40 megapixels"),
        pytest.param(webp((4500, 4500)), "photo_too_many_pixels", id="a WebP of over 20 megapixels"),
        pytest.param(webp((16383, 16383)), "photo_too_many_pixels", id="the largest WebP"),
        pytest.param(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "photo_heic", id="HEIC"),
        pytest.param(FACE + bytes(MAX_FILE_BYTES + 1 - len(FACE)), "photo_too_large", id="over 10 MB"),
    ],
)
def test_what_is_refused_is_said(upload: bytes, code: str) -> None:
    with pytest.raises(BadPhoto) as refused:
        baseline_jpeg(io.BytesIO(upload))

    assert refused.value.code == code


def test_file_of_ten_megabytes_is_taken() -> None:
    assert baseline_jpeg(io.BytesIO(FACE + bytes(MAX_FILE_BYTES - len(FACE)))).startswith(b"\xff\xd8\xff")


def test_picture_that_takes_more_than_its_share_of_memory_is_refused() -> None:
    # Beside its one pixel each row takes some bytes, together more than 600 MB.
    with pytest.raises(BadPhoto):
        baseline_jpeg(io.BytesIO(png(1, 28_000_000, bytes(3 * 28_000_000))))


def test_upload_whose_turn_does_not_come_is_refused_and_the_other_one_is_not(app: Flask) -> None:
    with taking_a_turn(app):
        app.config["UPLOAD_WAIT"] = 0.1
        with pytest.raises(PhotosWaiting) as refused:
            baseline_jpeg(io.BytesIO(FACE))
        app.config["UPLOAD_WAIT"] = 20.0

    assert refused.value.params == {"seconds": 1}


def test_upload_that_finds_too_many_waiting_is_refused_at_once_and_they_are_not(app: Flask) -> None:
    def upload() -> bytes:
        with app.app_context():
            return baseline_jpeg(io.BytesIO(FACE))

    with ThreadPoolExecutor(WAITING + 1) as others:
        with taking_a_turn(app):
            uploads = [others.submit(upload) for _ in range(WAITING + 1)]
            (refused,), waiting = wait(uploads, timeout=5, return_when=FIRST_COMPLETED)
            assert type(refused.exception()) is PhotosWaiting

        assert all(one.result().startswith(b"\xff\xd8\xff") for one in waiting)


def test_upload_that_takes_too_long_is_refused_and_the_next_one_is_not(app: Flask) -> None:
    usual, app.config["UPLOAD_WAIT"] = app.config["UPLOAD_WAIT"], 0.001
    with pytest.raises(PhotosWaiting):
        baseline_jpeg(io.BytesIO(FACE))

    app.config["UPLOAD_WAIT"] = usual
    assert baseline_jpeg(io.BytesIO(FACE))


def test_upload_whose_decoder_is_killed_may_be_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    def started() -> set[int]:
        return set(memory.children(os.getpid())) - others

    def kill() -> None:
        until(lambda: bool(started()))
        os.kill(started().pop(), signal.SIGKILL)

    others = set(memory.children(os.getpid()))

    with ThreadPoolExecutor(1) as other:
        killed = other.submit(kill)
        with pytest.raises(PhotosWaiting):
            baseline_jpeg(io.BytesIO(png(6300, 6300, bytes((1 + 2 * 6300) * 6300))))

    killed.result()
    assert caplog.messages == ["the decoder was ended by signal 9"]


def test_decoder_that_does_not_start_is_our_fault_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")

    with pytest.raises(RuntimeError, match=r"(?s)the decoder ended with 1: .*'encodings'"):
        baseline_jpeg(io.BytesIO(FACE))


def test_program_imports_nothing_of_the_app() -> None:
    *python, program = PROGRAM
    told = subprocess.run([*python, "-X", "importtime", program], input=FACE, capture_output=True, check=True).stderr

    assert b" PIL.JpegImagePlugin\n" in told
    assert not [name for name in (b"hikflask", b"flask", b"sqlalchemy") if b" " + name + b"\n" in told]


def test_upload_that_waits_keeps_no_connection_to_the_database() -> None:
    used: list[Any] = []

    class Watching(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            used.append(db.engine.pool.checkedout())  # type: ignore[attr-defined]
            return super().read(size)

    storage.find_by_file("100222_unknown.jpg")
    storage.keep_upload(Watching(FACE), "100222")

    assert set(used) == {0}


def test_face_of_a_list_has_128_pixels_at_its_longer_side() -> None:
    with Image.open(io.BytesIO(small(FACE))) as picture:
        assert (picture.format, max(picture.size)) == ("JPEG", 128)


def test_picture_that_cannot_be_made_small_is_answered_as_it_is() -> None:
    large = io.BytesIO()
    Image.new("RGB", (2001, 2000)).save(large, "JPEG")

    assert [small(picture) for picture in (b"no picture", large.getvalue())] == [b"no picture", large.getvalue()]


def test_face_of_a_list_waits_for_others_no_longer_than_an_upload_and_for_no_import(app: Flask) -> None:
    app.config["UPLOAD_WAIT"] = 0.01
    with ExitStack() as imports:
        for _ in range(SMALL_AT_ONCE):
            imports.enter_context(small_turn())
        with ExitStack() as others:
            for _ in range(FACES_AT_ONCE):
                others.enter_context(jpeg_process._FACE_TURNS)
            with pytest.raises(PhotosWaiting):
                small(FACE)

        assert small(FACE).startswith(b"\xff\xd8\xff")
