"""Uploads are encoded as terminals take them, or refused; a captured picture counts when it can be decoded."""

import hashlib
import io
import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image, ImageDraw, ImageOps

from hikflask.services.photos.jpeg import TooManyPixels, Unreadable, is_picture, to_baseline
from tests.support.captures import FACE

START, END = b"\xff\xd8", b"\xff\xd9"
WIDTH, HEIGHT = 60, 40
RED, BLUE, WHITE = (200, 0, 0), (0, 0, 200), (255, 255, 255)
BASELINE, OTHER_KINDS = 0xC0, {0xC1, 0xC2, 0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)}
COMMENT, APPLICATION_DATA = 0xFE, set(range(0xE1, 0xF0))


def two_halves() -> Image.Image:
    """Red on the left, blue on the right: a turn can be seen."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), RED)
    ImageDraw.Draw(picture).rectangle((WIDTH // 2, 0, WIDTH, HEIGHT), fill=BLUE)
    return picture


def encoded(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def opened(jpeg: bytes) -> Image.Image:
    return Image.open(io.BytesIO(jpeg), formats=("JPEG",))


def colour(picture: Image.Image, x: float, y: float) -> tuple[int, ...]:
    """The colour at a share of width and height, rounded, since a JPEG is never exact."""
    pixel = picture.getpixel((int(picture.width * x), int(picture.height * y)))
    assert isinstance(pixel, tuple)
    return tuple(round(part / 50) * 50 for part in pixel)


def segments(jpeg: bytes) -> list[tuple[int, bytes]]:
    """The marker and the content of each segment before the picture's data."""
    found, at = [], 2
    while True:
        marker, length = struct.unpack(">xBH", jpeg[at : at + 4])
        found.append((marker, jpeg[at + 4 : at + 2 + length]))
        at += 2 + length
        if marker == 0xDA:
            return found


def exif(orientation: int) -> Image.Exif:
    made = Image.Exif()
    made[0x0112] = orientation
    made[0x010E] = "secret place"
    return made


@pytest.mark.parametrize("upload", [FACE, encoded(two_halves()), encoded(two_halves(), "PNG")])
def test_upload_becomes_a_baseline_jpeg_with_chroma_4_2_0(upload: bytes) -> None:
    jpeg = to_baseline(upload)

    frames = {marker: content for marker, content in segments(jpeg) if marker == BASELINE or marker in OTHER_KINDS}
    assert set(frames) == {BASELINE}
    # Precision, height, width, components; then per component its id, sampling and table (ITU T.81, B.2.2).
    assert frames[BASELINE][5] == 3
    assert [frames[BASELINE][at] for at in (7, 10, 13)] == [0x22, 0x11, 0x11]
    assert jpeg.startswith(b"\xff\xd8\xff")
    assert jpeg.endswith(b"\xff\xd9")


def test_progressive_4_4_4_upload_is_encoded_anew() -> None:
    jpeg = to_baseline(encoded(two_halves(), progressive=True, subsampling="4:4:4"))

    assert OTHER_KINDS.isdisjoint(marker for marker, _ in segments(jpeg))
    assert colour(opened(jpeg), 0.1, 0.5) == RED


@pytest.mark.parametrize(
    ("orientation", "size", "red", "blue"),
    [
        (1, (WIDTH, HEIGHT), (0.1, 0.5), (0.9, 0.5)),
        (2, (WIDTH, HEIGHT), (0.9, 0.5), (0.1, 0.5)),
        (3, (WIDTH, HEIGHT), (0.9, 0.5), (0.1, 0.5)),
        (4, (WIDTH, HEIGHT), (0.1, 0.5), (0.9, 0.5)),
        (5, (HEIGHT, WIDTH), (0.5, 0.1), (0.5, 0.9)),
        (6, (HEIGHT, WIDTH), (0.5, 0.1), (0.5, 0.9)),
        (7, (HEIGHT, WIDTH), (0.5, 0.9), (0.5, 0.1)),
        (8, (HEIGHT, WIDTH), (0.5, 0.9), (0.5, 0.1)),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_picture_is_turned_by_its_exif(
    kind: str, orientation: int, size: tuple[int, int], red: tuple[float, float], blue: tuple[float, float]
) -> None:
    picture = opened(to_baseline(encoded(two_halves(), kind, exif=exif(orientation))))

    assert picture.size == size
    assert (colour(picture, *red), colour(picture, *blue)) == (RED, BLUE)
    assert picture.getexif().get(0x0112) is None


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_exif_that_means_nothing_turns_nothing(orientation: int) -> None:
    assert opened(to_baseline(encoded(two_halves(), exif=exif(orientation)))).size == (WIDTH, HEIGHT)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # Pillow says what is wrong with it, and goes on.
@pytest.mark.parametrize("byte", range(52))
def test_broken_exif_is_no_reason_to_fail(byte: int) -> None:
    upload = bytearray(encoded(two_halves(), exif=exif(6)))
    upload[upload.index(b"Exif\0\0") + 6 + byte] ^= 0xFF

    assert min(opened(to_baseline(bytes(upload))).size) == HEIGHT


@pytest.mark.parametrize(("tag", "value", "error"), [(0x011A, 72.0, TypeError), (0x0100, 5, struct.error)])
def test_picture_is_turned_also_when_another_tag_is_broken(tag: int, value: float, error: type[Exception]) -> None:
    tags = exif(6)
    tags[tag] = value
    upload = bytearray(encoded(two_halves(), exif=tags))
    upload[upload.index(struct.pack(">H", tag), upload.index(b"Exif\0\0")) + 3] = 1  # its type: bytes
    with pytest.raises(error):
        ImageOps.exif_transpose(opened(bytes(upload)))

    assert opened(to_baseline(bytes(upload))).size == (HEIGHT, WIDTH)


def test_picture_whose_exif_cannot_be_read_is_taken_as_it_is() -> None:
    upload = encoded(two_halves(), "PNG", exif=b"this is no EXIF")
    with pytest.raises(SyntaxError):
        ImageOps.exif_transpose(Image.open(io.BytesIO(upload)))

    picture = opened(to_baseline(upload))
    assert picture.size == (WIDTH, HEIGHT)
    assert (colour(picture, 0.1, 0.5), colour(picture, 0.9, 0.5)) == (RED, BLUE)


def test_metadata_is_dropped() -> None:
    upload = encoded(
        two_halves(),
        exif=exif(1),
        comment=b"secret comment",
        icc_profile=b"secret profile",
        xmp=b"<x:xmpmeta>secret</x:xmpmeta>",
    )

    jpeg = to_baseline(upload)

    assert upload.count(b"secret") == 4
    assert b"secret" not in jpeg
    assert not [marker for marker, _ in segments(jpeg) if marker == COMMENT or marker in APPLICATION_DATA]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_becomes_white(mode: str) -> None:
    clear = Image.new("RGBA", (WIDTH, HEIGHT), (0, 0, 0, 0)).convert(mode)

    picture = opened(to_baseline(encoded(clear, "PNG")))

    assert picture.mode == "RGB"
    assert colour(picture, 0.5, 0.5) == (250, 250, 250)


def test_transparent_colour_of_a_palette_becomes_white() -> None:
    upload = encoded(two_halves().quantize(2), "PNG", transparency=two_halves().quantize(2).getpixel((0, 0)))

    picture = opened(to_baseline(upload))

    assert (colour(picture, 0.1, 0.5), colour(picture, 0.9, 0.5)) == ((250, 250, 250), BLUE)


@pytest.mark.parametrize(
    ("picture", "kind"),
    [
        (two_halves().convert("CMYK"), "JPEG"),
        (two_halves().convert("P"), "PNG"),
        (two_halves().convert("YCbCr"), "JPEG"),
    ],
    ids=["CMYK", "palette", "YCbCr"],
)
def test_colours_of_other_modes_stay_what_they_are(picture: Image.Image, kind: str) -> None:
    shown = opened(to_baseline(encoded(picture, kind)))

    assert shown.mode == "RGB"
    assert (colour(shown, 0.1, 0.5), colour(shown, 0.9, 0.5)) == (RED, BLUE)


@pytest.mark.parametrize(
    "upload",
    [
        encoded(Image.new("L", (9, 9), 100), "JPEG"),
        encoded(Image.new("L", (9, 9), 100), "PNG"),
        encoded(Image.new("I;16", (9, 9), 100 * 256), "PNG"),
    ],
    ids=["grey JPEG", "grey PNG", "grey PNG of 16 bits"],
)
def test_grey_stays_as_bright_as_it_is(upload: bytes) -> None:
    assert colour(opened(to_baseline(upload)), 0.5, 0.5) == (100, 100, 100)


def test_large_picture_is_made_smaller_and_keeps_its_shape() -> None:
    picture = opened(to_baseline(encoded(Image.new("RGB", (4000, 2000)))))

    assert picture.size == (1200, 600)


@pytest.mark.parametrize("mode", ["1", "P", "L"])
def test_fine_lines_become_grey_when_they_are_made_smaller(mode: str) -> None:
    lines = Image.frombytes("L", (2400, 2400), b"\0\xff" * 1200 * 2400).convert(mode)

    assert colour(opened(to_baseline(encoded(lines, "PNG"))), 0.5, 0.5) in {(100, 100, 100), (150, 150, 150)}


def test_small_picture_is_not_made_larger() -> None:
    assert opened(to_baseline(encoded(two_halves()))).size == (WIDTH, HEIGHT)


def test_worst_picture_fits_into_200_kilobytes() -> None:
    noise = Image.effect_noise((1200, 1200), 200).convert("RGB")

    jpeg = to_baseline(encoded(noise, quality=95))

    assert len(jpeg) <= 200 * 1024
    assert max(opened(jpeg).size) >= 480


@pytest.mark.parametrize(
    "upload",
    [
        pytest.param(lambda: b"", id="empty"),
        pytest.param(lambda: b"hello", id="text"),
        pytest.param(lambda: FACE[: len(FACE) // 2], id="half a JPEG"),
        pytest.param(lambda: FACE[:3], id="three bytes"),
        pytest.param(lambda: encoded(two_halves(), "PNG")[:80], id="half a PNG"),
        pytest.param(lambda: b"GIF89a" + FACE, id="GIF before a JPEG"),
        pytest.param(lambda: encoded(two_halves(), "WEBP")[:-20], id="half a WebP"),
    ],
)
def test_what_is_no_whole_jpeg_png_or_webp_is_refused(upload: Callable[[], bytes]) -> None:
    with pytest.raises(Unreadable) as refused:
        to_baseline(upload())

    assert not isinstance(refused.value, TooManyPixels)


@pytest.mark.parametrize("size", [(8000, 5001), (10_000, 9_000), (20_000, 20_000)])
def test_more_than_40_megapixels_are_refused(size: tuple[int, int]) -> None:
    upload = bytearray(encoded(two_halves(), "PNG"))
    upload[16:33] = ihdr(size)

    with pytest.raises(TooManyPixels):
        to_baseline(bytes(upload))


def ihdr(size: tuple[int, int]) -> bytes:
    """The header of a PNG that says it is so large, with its check sum."""
    content = struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)
    return content + struct.pack(">I", zlib.crc32(b"IHDR" + content))


# Captured pictures


def noise(seed: int, length: int = 4000) -> bytes:
    """Bytes without meaning, the same for the same seed."""
    return hashlib.shake_256(bytes([seed])).digest(length)


def detailed() -> Image.Image:
    """A picture with something to see everywhere, as a camera's."""
    spots = Image.frombytes("RGB", (30, 40), noise(0, 30 * 40 * 3))
    return spots.resize((480, 640), Image.Resampling.BICUBIC)


WHOLE = {
    "drawn": lambda: FACE,
    "detailed": lambda: encoded(detailed()),
    "4:4:4": lambda: encoded(detailed(), subsampling="4:4:4"),
    "grey": lambda: encoded(detailed().convert("L")),
    "one colour": lambda: encoded(Image.new("RGB", (480, 640), "navy")),
    "progressive": lambda: encoded(detailed(), progressive=True),
    "restarted in each row": lambda: encoded(detailed(), restart_marker_rows=1),
    "restarted everywhere": lambda: encoded(detailed(), restart_marker_blocks=1),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_whole_jpeg_is_a_picture(kind: str) -> None:
    picture = WHOLE[kind]()

    assert is_picture(picture)
    assert is_picture(picture + b"what hangs on it" + END)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(lambda: b"", id="nothing"),
        pytest.param(lambda: START + END, id="start and end"),
        pytest.param(lambda: START + noise(0) + END, id="noise"),
        pytest.param(lambda: START + b"\xff\xe0<html>Document Error: Not Found</html>" + END, id="a page of text"),
        pytest.param(lambda: FACE[:300] + END, id="head alone"),
        pytest.param(lambda: b"\x89PNG" + FACE, id="something before it"),
    ],
)
def test_what_only_begins_and_ends_as_a_jpeg_is_no_picture(data: Callable[[], bytes]) -> None:
    assert not is_picture(data())


def test_more_than_four_megapixels_come_from_no_terminal() -> None:
    assert is_picture(encoded(Image.new("L", (2000, 2000))))
    assert not is_picture(encoded(Image.new("L", (2001, 2000))))
    at = FACE.index(b"\xff\xc0") + 5
    assert not is_picture(FACE[:at] + b"\xff\xdc\xff\xdc" + FACE[at + 4 :])
