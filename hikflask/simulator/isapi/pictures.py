"""Pictures of faces: the files under /LOCALS/pic, and what a terminal takes as a picture that is sent to it."""

import hashlib
import io

from flask import Response, request
from PIL import Image, JpegImagePlugin, UnidentifiedImageError

from hikflask.simulator.errors import Refusal
from hikflask.simulator.http.responses import reply
from hikflask.simulator.terminal.terminal import Terminal

MAX_BYTES = 200 * 1024
MIN_BYTES = 1024
_SUBSAMPLING_420 = 2
_GREY = -1


def picture(terminal: Terminal) -> Response:
    """The picture file as it is now. The counter in its name is ignored."""
    jpeg = terminal.picture(request.path)
    if jpeg is None:
        return reply(b"<html><body><h1>404 Not Found</h1></body></html>\n", "text/html", 404)
    return reply(jpeg, "image/jpeg")


def no_upload(terminal: Terminal) -> Response:  # noqa: ARG001
    """Nothing can be uploaded here; the seed terminal's owner tried."""
    return reply(b"<html><body><h1>405 Method Not Allowed</h1></body></html>\n", "text/html", 405)


def check_picture(jpeg: bytes) -> None:
    """Raise Refusal unless `jpeg` is a baseline JPEG, 4:2:0, from 1 to 200 KB, with nothing before or after it."""
    if len(jpeg) > MAX_BYTES:
        raise Refusal("badJsonContent", "faceURL")
    if len(jpeg) < MIN_BYTES:
        raise Refusal("faceDataLenShort")
    if not (jpeg.startswith(b"\xff\xd8") and jpeg.endswith(b"\xff\xd9") and _is_plain(jpeg)):
        raise Refusal("SubpicAnalysisModelingError", "saveFacePic")


def noise(jpeg: bytes) -> bytes:
    """Bytes that begin and end like a JPEG but are no picture; each `jpeg` gets its own."""
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
