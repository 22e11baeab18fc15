"""Pictures: an upload becomes a baseline JPEG that terminals take, or is refused; a captured one is whole, or none."""

import io
import re
import struct
import threading
from itertools import pairwise
from typing import IO

from PIL import ExifTags, Image

from hikflask.services.errors import BadPhoto, PhotoTooLarge, PhotoTooManyPixels

LARGEST_FILE = 10 * 1024 * 1024
MOST_PIXELS = 40_000_000
# Cameras of terminals have two megapixels.
MOST_CAPTURED_PIXELS = 4_000_000
# libjpeg decodes each scan over the whole picture; cameras and programs write about ten, a bomb thousands.
MOST_SCANS = 100
# What ends the data of a scan: a marker, no stuffed zero (ITU T.81, B.1.1.2), and no restart where there are such.
MARKER = re.compile(rb"\xff([\x01-\xfe])")
MARKER_BUT_RESTART = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
RESTARTS_DEFINED = b"\xff\xdd"
START_OF_SCAN, END_OF_IMAGE = b"\xda", b"\xd9"
RESTARTS = [bytes([code]) for code in range(0xD0, 0xD8)]
WITHOUT_LENGTH = {b"\x01", b"\xd8", *RESTARTS}
# Behind the data of a scan it is passed over, unless the scan lacks something: then it is taken for that.
FILLING = bytes(range(255)).join([b"", *(b"\xff" + restart for restart in RESTARTS), b""])
LARGEST_JPEG = 200 * 1024
LONGEST_SIDE = 1200
SMALLER_SIDES = (LONGEST_SIDE, 1000, 800, 640, 480)
QUALITIES = (90, 82, 74, 66)
UPRIGHT = 1
# What Pillow raises.
TOO_MANY_PIXELS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
UNREADABLE = (OSError, SyntaxError, ValueError)
# The largest picture takes 600 MB while it is decoded: one after the other.
_DECODING = threading.Lock()
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


def baseline_jpeg(stream: IO[bytes]) -> bytes:
    """Turn an upload by its EXIF, drop its metadata and encode it as terminals take it: baseline, 4:2:0, ≤ 200 KB.

    :raises BadPhoto: when it is no JPEG or PNG, over 10 MB or over 40 megapixels.
    """
    data = stream.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise PhotoTooLarge
    with _DECODING:
        return _encoded(_decoded(data))


def _decoded(data: bytes) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise PhotoTooManyPixels
            if opened.format != "PNG" and len(_scan_ends(data)) > MOST_SCANS:
                raise BadPhoto
            return _flat(_upright(opened))
    except TOO_MANY_PIXELS as error:
        raise PhotoTooManyPixels from error
    except UNREADABLE as error:
        raise BadPhoto from error


def is_picture(jpeg: bytes) -> bool:
    """True for a whole JPEG of at most 4 megapixels, as terminals capture it.

    libjpeg makes up what a scan lacks, and says nothing. So the picture is decoded twice, the second time with filling
    bytes behind the data of each scan: only one that lacks something looks different then.
    """
    ends = _scan_ends(jpeg)
    if len(ends) > MOST_SCANS:
        return False
    filled = FILLING.join(jpeg[start:end] for start, end in pairwise([0, *ends, len(jpeg)]))
    try:
        return _pixels(jpeg) == _pixels(filled)
    except (BadPhoto, *TOO_MANY_PIXELS, *UNREADABLE):
        return False


def _pixels(jpeg: bytes) -> bytes:
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as opened:
        if opened.width * opened.height > MOST_CAPTURED_PIXELS:
            raise PhotoTooManyPixels
        return opened.tobytes()


def _scan_ends(jpeg: bytes) -> list[int]:
    """Return where the data of each scan of the first picture end."""
    ends: list[int] = []
    at, in_scan = 0, False
    marker = MARKER_BUT_RESTART if RESTARTS_DEFINED in jpeg else MARKER
    while found := marker.search(jpeg, at):
        if in_scan:
            ends.append(found.start())
        if found[1] == END_OF_IMAGE:
            break
        at, in_scan = found.end(), found[1] == START_OF_SCAN
        if found[1] not in WITHOUT_LENGTH:
            at += int.from_bytes(jpeg[at : at + 2], "big")
    return ends


def _upright(picture: Image.Image) -> Image.Image:
    """Return the picture turned by its EXIF; EXIF that cannot be read turns nothing."""
    try:
        turn = TURNS.get(picture.getexif().get(ExifTags.Base.Orientation, UPRIGHT))
    except (struct.error, TypeError, ValueError, SyntaxError):
        turn = None
    return picture if turn is None else picture.transpose(turn)


def _flat(picture: Image.Image) -> Image.Image:
    """Return the picture in RGB, without what the file said beside it; what is transparent becomes white."""
    if picture.mode.startswith("I;16"):
        picture = picture.point(lambda value: value / 256).convert("L")
    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        white = Image.new("RGBA", picture.size, "white")
        white.alpha_composite(picture.convert("RGBA"))
        picture = white
    flat = picture.convert("RGB")
    # Pillow would write the file's comment again.
    flat.info.clear()
    return flat


def _encoded(picture: Image.Image) -> bytes:
    """Return the first JPEG, from the best down, that fits into 200 KB."""
    for side in SMALLER_SIDES:
        smaller = picture.copy()
        smaller.thumbnail((side, side))
        for quality in QUALITIES:
            out = io.BytesIO()
            smaller.save(out, "JPEG", quality=quality, subsampling="4:2:0", progressive=False, optimize=False)
            if out.tell() <= LARGEST_JPEG:
                return out.getvalue()
    raise PhotoTooLarge
