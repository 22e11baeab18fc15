"""Pictures that are something else as well, and pictures that are far more than they seem."""

import io
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from PIL import Image

from hikflask.services.photos import jpeg as pictures
from hikflask.services.photos import jpeg_process
from hikflask.services.photos.jpeg import TooManyPixels, Unreadable
from tests.security.conftest import upload
from tests.support.captures import FACE

pytestmark = pytest.mark.child_processes
PAYLOAD = b"<script>alert('payload')</script>"
MEGABYTE = 1024 * 1024


def encoded(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def small(mode: str = "RGB") -> Image.Image:
    return Image.new(mode, (64, 48), 100)


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def after_start(content: bytes) -> bytes:
    return FACE[:2] + content + FACE[2:]


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("payload.class", PAYLOAD)
    return out.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def in_png(*chunks: bytes) -> bytes:
    png = encoded(small(), "PNG")
    return png[:33] + b"".join(chunks) + png[33:]


def with_exif() -> bytes:
    exif = Image.Exif()
    exif[0x010E], exif[0x9286] = PAYLOAD.decode(), PAYLOAD
    return encoded(small(), exif=exif)


# How a HEIC begins.
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + PAYLOAD
POLYGLOTS: dict[str, Callable[[], bytes]] = {
    "HTML after the end": lambda: FACE + PAYLOAD,
    "an archive after the end": lambda: FACE + archive() + PAYLOAD,
    "an applet after the end": lambda: FACE + b"PK\x03\x04" + PAYLOAD + b"\xca\xfe\xba\xbe",
    "a second picture after the end": lambda: FACE + after_start(segment(0xFE, PAYLOAD)),
    "comment": lambda: after_start(segment(0xFE, b"*/=1;" + PAYLOAD + b"/*")),
    "EXIF": with_exif,
    "XMP": lambda: encoded(small(), xmp=b"<x:xmpmeta>" + PAYLOAD + b"</x:xmpmeta>"),
    "ICC profile": lambda: encoded(small(), icc_profile=b"\0" * 128 + PAYLOAD),
    "unknown segments": lambda: after_start(b"".join(segment(marker, PAYLOAD) for marker in range(0xE3, 0xF0))),
    "between the segments": lambda: FACE[:2] + segment(0xE0, FACE[6:20]) + PAYLOAD.replace(b"\xff", b"") + FACE[20:],
    "MPO": lambda: encoded(small(), "MPO", save_all=True, append_images=[small()], comment=PAYLOAD),
    "PNG text": lambda: in_png(chunk(b"tEXt", b"Comment\0" + PAYLOAD)),
    "PNG packed text": lambda: in_png(chunk(b"zTXt", b"Comment\0\0" + zlib.compress(PAYLOAD))),
    "PNG unknown chunk": lambda: in_png(chunk(b"evIl", PAYLOAD)),
    "PNG with HTML after the end": lambda: encoded(small(), "PNG") + PAYLOAD,
    "WebP EXIF": lambda: encoded(small(), "WEBP", exif=Image.Exif().tobytes() + PAYLOAD, xmp=PAYLOAD),
    "WebP with HTML after the end": lambda: encoded(small(), "WEBP") + PAYLOAD,
    "WebP animation": lambda: encoded(small(), "WEBP", save_all=True, append_images=[small("L")], xmp=PAYLOAD),
    "PNG whose rows spell it": lambda: encoded(Image.frombytes("L", (33, 9), PAYLOAD * 9), "PNG", compress_level=0),
}
OTHER_KINDS = {
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "HTML": b"<!doctype html>" + PAYLOAD,
    "GIF": encoded(small("L"), "GIF"),
    "GIFAR": encoded(small("L"), "GIF") + archive(),
    "BMP": encoded(small(), "BMP"),
    "TIFF": encoded(small(), "TIFF"),
    "AVIF": encoded(small(), "AVIF"),
    "HEIC": HEIC,
    "ICO": encoded(small(), "ICO"),
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%id) (w) file\n",
    "PDF": b"%PDF-1.7\n" + PAYLOAD,
    "XPM": b"/* XPM */\nstatic char *x[] = {};",
    "ZIP": archive(),
}


def test_nothing_of_a_polyglot_is_served(client: FlaskClient) -> None:
    answer = upload(client, POLYGLOTS["EXIF"]())
    assert answer.status_code == 200, answer.text
    with client.get(answer.get_json()["photo_path"]) as shown:
        served = {"EXIF, uploaded": shown.data}
    # This is what an upload is made into by a process of its own.
    served |= {kind: pictures.to_baseline(file()) for kind, file in POLYGLOTS.items()}

    assert served["EXIF, uploaded"] == served["EXIF"]
    for kind, picture in served.items():
        assert not any(piece in picture for piece in (b"payload", b"PK\x03\x04", b"<script")), kind
        assert picture.endswith(b"\xff\xd9"), kind
        assert picture.count(b"\xff\xd9") == 1, kind


def test_file_that_only_calls_itself_a_photo_is_refused(client: FlaskClient, folder: Path) -> None:
    answer = upload(client, OTHER_KINDS["GIFAR"])

    assert (answer.status_code, answer.get_json()["error"]) == (422, "photo_unreadable")
    assert list(folder.iterdir()) == []
    for content in OTHER_KINDS.values():
        with pytest.raises(Unreadable):
            pictures.to_baseline(content)


def test_terminals_own_picture_stays_byte_for_byte(client: FlaskClient, address: str) -> None:
    with client.get(address) as answer:
        assert answer.data == FACE + b"<script>alert(1)</script>"
        assert answer.mimetype == "image/jpeg"


def png_of(width: int, height: int) -> bytes:
    """A PNG that says this size and holds next to nothing."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(bytes(9999))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@cache
def packed() -> bytes:
    """100 MB in 100 KB."""
    return zlib.compress(bytes(100 * MEGABYTE), 9)


def with_text(kind: bytes, before: bytes, times: int = 1) -> bytes:
    """A PNG with packed texts of 100 MB each."""
    return in_png(*[chunk(kind, before + packed())] * times)


def of_many_scans(count: int, size: tuple[int, int] = (6300, 6300)) -> bytes:
    """A small progressive JPEG that makes a decoder go over the whole picture so many times more."""
    jpeg = encoded(Image.new("L", size), progressive=True)
    last = jpeg[jpeg.rindex(b"\xff\xc4", 0, jpeg.rindex(b"\xff\xda")) : -2]
    return jpeg[:-2] + last * count + jpeg[-2:]


def lying_jpeg(width: int, height: int) -> bytes:
    """A JPEG whose frame says another size."""
    at = FACE.index(b"\xff\xc0") + 5
    return FACE[:at] + struct.pack(">HH", height, width) + FACE[at + 4 :]


@pytest.mark.parametrize(
    ("file", "error"),
    [
        pytest.param(lambda: png_of(50_000, 50_000), TooManyPixels, id="PNG of 2.5 gigapixels"),
        pytest.param(lambda: png_of(2**31 - 1, 2**31 - 1), TooManyPixels, id="PNG of the largest size"),
        pytest.param(lambda: png_of(40_000_001, 1), TooManyPixels, id="PNG of one long row"),
        pytest.param(lambda: lying_jpeg(65_000, 65_000), TooManyPixels, id="JPEG of 4 gigapixels"),
        pytest.param(lambda: with_text(b"zTXt", b"Comment\0\0"), Unreadable, id="zTXt"),
        pytest.param(lambda: with_text(b"zTXt", b"Comment\0\0", 9), Unreadable, id="several zTXt"),
        pytest.param(lambda: with_text(b"iTXt", b"Comment\0\1\0\0\0"), Unreadable, id="iTXt"),
        pytest.param(lambda: in_png(chunk(b"iCCP", b"x\0\0" + packed())), Unreadable, id="iCCP"),
        pytest.param(lambda: of_many_scans(2000), Unreadable, id="2000 scans"),
    ],
)
def test_bomb_is_refused_at_once(file: Callable[[], bytes], error: type[Exception]) -> None:
    content, start = file(), time.process_time()

    with pytest.raises(error):
        pictures.to_baseline(content)

    assert time.process_time() - start < 2.0


def test_terminals_picture_of_many_scans_is_none() -> None:
    assert pictures.is_picture(of_many_scans(80, (300, 200)))
    assert not pictures.is_picture(of_many_scans(120, (300, 200)))


def test_ordinary_progressive_picture_is_taken_whatever_hangs_on_it() -> None:
    # Phones put a film behind the picture, in which any two bytes may be; a thumbnail is a picture of its own.
    film = b"\xff\xda" * 5000
    assert pictures.to_baseline(of_many_scans(80, (300, 200)) + film)
    assert pictures.to_baseline(after_start(segment(0xE5, b"\xff\xda" * 500)))


def frames(kind: str) -> bytes:
    """An animation, or an MPO, of many large frames."""
    first, *rest = [Image.new("L", (1500, 1500), shade) for shade in range(60)]
    return encoded(first, kind, save_all=True, append_images=rest)


@pytest.mark.parametrize("kind", ["PNG", "MPO"])
def test_of_many_frames_the_first_alone_is_decoded(kind: str) -> None:
    content, start = frames(kind), time.process_time()

    jpeg = pictures.to_baseline(content)

    assert Image.open(io.BytesIO(jpeg)).getpixel((9, 9)) == (0, 0, 0)
    assert time.process_time() - start < 1.0


TOO_LARGE = {
    "PNG with transparency": lambda: encoded(Image.new("RGBA", (6300, 6300), (9, 9, 9, 9)), "PNG", compress_level=1),
    "PNG with a transparent colour": lambda: encoded(
        Image.new("RGB", (6300, 6300)), "PNG", compress_level=1, transparency=(0, 0, 0)
    ),
    "progressive JPEG": lambda: encoded(Image.new("CMYK", (6300, 6300)), progressive=True, subsampling=0),
}
MEASURE = (
    "import resource, subprocess, sys;"
    "subprocess.run(sys.argv[1:], stdin=sys.stdin, stdout=subprocess.DEVNULL, check=True);"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)


@pytest.mark.parametrize("kind", TOO_LARGE)
def test_largest_picture_that_is_taken_stays_within_memory(kind: str) -> None:
    # By a process between, since what a process begins with counts for those that it starts, too.
    command = [sys.executable, "-c", MEASURE, *jpeg_process.PROGRAM]
    measured = subprocess.run(command, input=TOO_LARGE[kind](), capture_output=True, check=True, timeout=60)

    assert int(measured.stdout) < 420 * 1024
