"""Pictures: an upload becomes a baseline JPEG that terminals take; a captured one can be decoded; others are refused.

This file is a program, too: decoder.py runs it to decode an upload in a process of its own. So it imports nothing of
the app, which would take a second.
"""

import io
import re
import resource
import struct
import sys
from collections.abc import Iterator
from typing import ClassVar

from PIL import ExifTags, Image

# Of such a process, without its libraries; the largest pictures take 360 to 460 MB.
MOST_MEMORY = 512 * 1024 * 1024
MOST_PIXELS = 40_000_000
# Cameras of terminals have two megapixels.
MOST_CAPTURED_PIXELS = 4_000_000
# libjpeg decodes each scan over the whole picture; cameras and programs write about ten, a bomb thousands.
MOST_SCANS = 100
# What ends the data of a scan: a marker that is neither a stuffed zero nor a restart (ITU T.81, B.1.1.2).
MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
START_OF_SCAN, END_OF_IMAGE = b"\xda", b"\xd9"
WITHOUT_LENGTH = {b"\x01", b"\xd8"}
LARGEST_JPEG = 200 * 1024
LONGEST_SIDE = 1200
SMALLER_SIDES = (LONGEST_SIDE, 1000, 800, 640, 480)
QUALITIES = (90, 82, 74, 66)
UPRIGHT = 1
# What Pillow raises.
TOO_MANY_PIXELS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
UNREADABLE = (OSError, SyntaxError, ValueError, MemoryError)
# EXIF orientation → what makes the picture upright (EXIF 2.32, tag 0x0112).
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Unreadable(Exception):
    """No JPEG or PNG; `status` is the exit status of the program."""

    status: ClassVar[int] = 3


class TooManyPixels(Unreadable):
    """Over 40 megapixels."""

    status = 4


def baseline(data: bytes) -> bytes:
    """Turn a JPEG or PNG by its EXIF, drop its metadata, encode it as terminals take it: baseline, 4:2:0, ≤ 200 KB.

    :raises Unreadable: when it is no such picture. :raises TooManyPixels:
    """
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise TooManyPixels
            if opened.format != "PNG" and _scans(data) > MOST_SCANS:
                raise Unreadable
            picture = _flat(_upright(_small(opened)))
            return next(jpeg for jpeg in _encodings(picture) if len(jpeg) <= LARGEST_JPEG)
    except TOO_MANY_PIXELS as error:
        raise TooManyPixels from error
    except UNREADABLE as error:
        raise Unreadable from error


def _small(opened: Image.Image) -> Image.Image:
    """Decode a picture and make it no larger than it is kept, before anything else is done with it: this takes memory.

    A JPEG is decoded smaller at once, where it can be.
    """
    opened.draft(None, (LONGEST_SIDE, LONGEST_SIDE))
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
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return picture


def is_picture(jpeg: bytes) -> bool:
    """True for a JPEG that can be decoded, as terminals capture it: at most 4 megapixels."""
    try:
        with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as opened:
            if opened.width * opened.height > MOST_CAPTURED_PIXELS or _scans(jpeg) > MOST_SCANS:
                return False
            opened.load()
    except (*TOO_MANY_PIXELS, *UNREADABLE):
        return False
    return True


def _scans(jpeg: bytes) -> int:
    """Return how many scans the first picture of a JPEG has."""
    count, at = 0, 0
    while (found := MARKER.search(jpeg, at)) and found[1] != END_OF_IMAGE:
        at = found.end()
        count += found[1] == START_OF_SCAN
        if found[1] not in WITHOUT_LENGTH:
            at += int.from_bytes(jpeg[at : at + 2], "big")
    return count


def _upright(picture: Image.Image) -> Image.Image:
    """Return the picture turned by its EXIF; EXIF that cannot be read turns nothing."""
    try:
        turn = TURNS.get(picture.getexif().get(ExifTags.Base.Orientation, UPRIGHT))
    except (struct.error, TypeError, ValueError, SyntaxError):
        turn = None
    return picture if turn is None else picture.transpose(turn)


def _flat(picture: Image.Image) -> Image.Image:
    """Return the picture in RGB, without what the file said beside it; what is transparent becomes white."""
    if picture.mode in {"RGBA", "LA"}:
        white = Image.new("RGBA", picture.size, "white")
        white.alpha_composite(picture.convert("RGBA"))
        picture = white
    flat = picture.convert("RGB")
    # Pillow would write the file's comment again.
    flat.info.clear()
    return flat


def _encodings(picture: Image.Image) -> Iterator[bytes]:
    """Yield the picture as JPEG, from the best down; noise itself fits into 200 KB at last."""
    for side in SMALLER_SIDES:
        smaller = picture.copy()
        smaller.thumbnail((side, side))
        for quality in QUALITIES:
            out = io.BytesIO()
            smaller.save(out, "JPEG", quality=quality, subsampling="4:2:0", progressive=False, optimize=False)
            yield out.getvalue()


def main() -> None:
    """Turn the picture on standard input into that on standard output, or end with the status of a refusal."""
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    try:
        sys.stdout.buffer.write(baseline(sys.stdin.buffer.read()))
    except Unreadable as error:
        sys.exit(error.status)


if __name__ == "__main__":
    main()
