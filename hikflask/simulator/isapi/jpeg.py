"""What a terminal takes as a picture of a face, and what only looks like one."""

from __future__ import annotations

import hashlib
import io

from PIL import Image, JpegImagePlugin, UnidentifiedImageError

from hikflask.simulator.errors import Refusal

LARGEST = 200 * 1024
SMALLEST = 1024
_SUBSAMPLING_420 = 2
_GREY = -1


def check_picture(jpeg: bytes) -> None:
    """Raise Refusal unless `jpeg` is a baseline JPEG, 4:2:0, from 1 to 200 KB, with nothing before or after it."""
    if len(jpeg) > LARGEST:
        raise Refusal("badJsonContent", "faceURL")
    if len(jpeg) < SMALLEST:
        raise Refusal("faceDataLenShort")
    if not (jpeg.startswith(b"\xff\xd8") and jpeg.endswith(b"\xff\xd9")) or not _is_plain(jpeg):
        raise Refusal("SubpicAnalysisModelingError", "saveFacePic")


def noise(jpeg: bytes) -> bytes:
    """Bytes that begin and end as a JPEG and are no picture; others for another `jpeg`."""
    middle = hashlib.shake_256(jpeg).digest(4096).replace(b"\xff", b"\x00")
    return b"\xff\xd8\xff" + middle + b"\xff\xd9"


def _is_plain(jpeg: bytes) -> bool:
    try:
        image = Image.open(io.BytesIO(jpeg))
    except (UnidentifiedImageError, OSError):
        return False
    if not isinstance(image, JpegImagePlugin.JpegImageFile) or "progressive" in image.info:
        return False
    return JpegImagePlugin.get_sampling(image) in (_SUBSAMPLING_420, _GREY)
