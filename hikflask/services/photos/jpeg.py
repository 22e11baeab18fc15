"""Decoding pictures: an upload becomes a baseline JPEG as terminals take it; a captured picture is checked.

This file is also the program of the child process that decodes an upload (see jpeg_process.py). So it imports nothing
of the app: that would take a second for each upload.
"""

import io
import re
import resource
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from PIL import ExifTags, Image, ImageOps

# The limit of the child process in bytes, without its libraries. The largest pictures take 360 to 460 MB.
MAX_MEMORY = 512 * 1024 * 1024
MAX_PIXELS = 40_000_000
# Only the whole of a WebP can be decoded, which takes twice the memory of others: it has half as many pixels at most.
WEBP_SHARE = 2
# How a HEIC begins (ISO 14496-12): the size and the name of a box, and then the kind of the file.
HEIC_BOX, HEIC_KINDS = b"ftyp", {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
# The cameras of terminals have two megapixels.
MAX_CAPTURED_PIXELS = 4_000_000
# libjpeg decodes the whole picture again for each scan. Cameras and programs write about ten scans; a file that is made
# to keep the processor busy has thousands.
MAX_SCANS = 100
# The data of a scan ends at a marker that is neither a stuffed zero nor a restart (ITU T.81, B.1.1.2).
MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
START_OF_SCAN, END_OF_IMAGE = b"\xda", b"\xd9"
WITHOUT_LENGTH = {b"\x01", b"\xd8"}
MAX_JPEG_BYTES = 200 * 1024
MAX_SIDE, THUMBNAIL_SIDE = 1200, 160
# As lists show a face: 96 by 128 pixels of an upright photo, some 2 KB.
SMALL_SIDE, SMALL_QUALITY = 128, 74
SMALLER_SIDES = (MAX_SIDE, 1000, 800, 640, 480)
QUALITIES = (90, 82, 74, 66)
# What Pillow raises.
TOO_MANY_PIXELS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
UNREADABLE = (OSError, SyntaxError, ValueError, MemoryError)
BROKEN_EXIF = (struct.error, SyntaxError, TypeError, ValueError)


class Unreadable(Exception):
    """The file is no JPEG, PNG or WebP. `status` is the exit status of the child process."""

    status: ClassVar[int] = 3


class TooManyPixels(Unreadable):
    """The picture has more than 40 megapixels, or is a WebP of more than 20."""

    status = 4


class Heic(Unreadable):
    """The picture is a HEIC, as iPhones take them: no library that decodes it is worth its risks and licences here."""

    status = 5


def to_baseline(data: bytes) -> bytes:
    """Return a picture as terminals take it: turned by its EXIF, without metadata, baseline, 4:2:0, at most 200 KB.

    :raises Unreadable: when the data is no JPEG, PNG or WebP. :raises TooManyPixels: :raises Heic:
    """
    with open_picture(data) as opened:
        return encode(decode(opened, MAX_SIDE))


@contextmanager
def open_picture(
    data: bytes, formats: tuple[str, ...] = ("JPEG", "PNG", "WEBP"), max_pixels: int = MAX_PIXELS
) -> Iterator[Image.Image]:
    """Open a picture; nothing is decoded yet. What its decoding raises within the block becomes a refusal.

    :raises Unreadable: when the data has none of these formats. :raises TooManyPixels:
    """
    try:
        with Image.open(io.BytesIO(data), formats=formats) as opened:
            share = WEBP_SHARE if opened.format == "WEBP" else 1
            if opened.width * opened.height * share > max_pixels:
                raise TooManyPixels
            if opened.format not in {"PNG", "WEBP"} and _scans(data) > MAX_SCANS:
                raise Unreadable
            yield opened
    except TOO_MANY_PIXELS as error:
        raise TooManyPixels from error
    except UNREADABLE as error:
        is_heic = data[4:8] == HEIC_BOX and data[8:12] in HEIC_KINDS
        raise (Heic if is_heic else Unreadable) from error


def decode(opened: Image.Image, longest_side: int) -> Image.Image:
    """Return an opened picture in RGB, upright, without metadata, its longest side no longer than this (pixels)."""
    picture = _upright(_small(opened, longest_side))
    if picture.mode in {"RGBA", "LA"}:  # transparent parts become white
        white = Image.new("RGBA", picture.size, "white")
        white.alpha_composite(picture.convert("RGBA"))
        picture = white
    flat = picture.convert("RGB")
    # Otherwise Pillow would write the comment of the file into the new one.
    flat.info.clear()
    return flat


def thumbnail(jpeg: bytes) -> bytes:
    """Return a small picture of what encode() returned, as a JPEG."""
    with open_picture(jpeg) as opened:
        return encode(decode(opened, THUMBNAIL_SIDE))


def small(picture: bytes) -> bytes:
    """Return what is_picture() or encode() let through as lists show it, as a JPEG.

    :raises Unreadable: :raises TooManyPixels:
    """
    out = io.BytesIO()
    with open_picture(picture, ("JPEG",), MAX_CAPTURED_PIXELS) as opened:
        decode(opened, SMALL_SIDE).save(out, "JPEG", quality=SMALL_QUALITY, optimize=True)
    return out.getvalue()


def encode(picture: Image.Image) -> bytes:
    """Return a picture in RGB as a baseline JPEG, 4:2:0, at most 200 KB."""
    return next(jpeg for jpeg in _encodings(picture) if len(jpeg) <= MAX_JPEG_BYTES)


def _small(opened: Image.Image, longest_side: int) -> Image.Image:
    """Decode a picture and reduce it to the size that is kept. This comes first, because large pictures take memory.

    draft() lets libjpeg decode a JPEG at a smaller size, where it can.
    """
    opened.draft(None, (longest_side, longest_side))
    opened.load()
    picture = opened
    if opened.mode.startswith("I;16"):
        picture = opened.point(lambda value: value / 256).convert("L")
    elif "transparency" in opened.info:
        picture = opened.convert("RGBA")
    elif opened.mode in {"1", "P"}:
        picture = opened.convert("RGB")
    if picture is not opened:
        opened.close()
    picture.thumbnail((longest_side, longest_side))
    return picture


def is_picture(jpeg: bytes) -> bool:
    """Return True for a JPEG that can be decoded and has at most 4 megapixels, as terminals capture it."""
    try:
        with open_picture(jpeg, ("JPEG",), MAX_CAPTURED_PIXELS) as opened:
            opened.load()
    except Unreadable:
        return False
    return True


def _scans(jpeg: bytes) -> int:
    """Return how many scans the first picture of a JPEG has."""
    count, at = 0, 0
    while (marker := MARKER.search(jpeg, at)) and marker[1] != END_OF_IMAGE:
        at = marker.end()
        count += marker[1] == START_OF_SCAN
        if marker[1] not in WITHOUT_LENGTH:
            at += int.from_bytes(jpeg[at : at + 2], "big")
    return count


def _upright(picture: Image.Image) -> Image.Image:
    """Return the picture turned by the orientation in its EXIF; a picture with broken EXIF is not turned."""
    try:
        picture.getexif().get(ExifTags.Base.Orientation)
    except BROKEN_EXIF:
        return picture
    # exif_transpose() would write the other tags again, and fails where one of them is broken. Pillow has read the
    # orientation by now, and nothing else of the metadata is kept anyway.
    picture.info.clear()
    return ImageOps.exif_transpose(picture)


def _encodings(picture: Image.Image) -> Iterator[bytes]:
    """Yield the picture as JPEG in smaller and smaller files. At the last size even pure noise fits into 200 KB."""
    for side in SMALLER_SIDES:
        smaller = picture.copy()
        smaller.thumbnail((side, side))
        for quality in QUALITIES:
            out = io.BytesIO()
            smaller.save(out, "JPEG", quality=quality, subsampling="4:2:0", progressive=False, optimize=False)
            yield out.getvalue()


def main() -> None:
    """Read a picture from standard input, write the JPEG to standard output, or exit with the status of a refusal."""
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY, MAX_MEMORY))
    try:
        sys.stdout.buffer.write(to_baseline(sys.stdin.buffer.read()))
    except Unreadable as error:
        sys.exit(error.status)


if __name__ == "__main__":
    main()
