"""The program of the child process that checks photos, one after another; inspection.py starts it.

It reads a line of JSON and as many bytes of a picture as the line says, and answers with a line of JSON and the JPEG.
The line is {"size", "turn", "crop", "detect", "max_pixels", "thumbnail"}; the answer {"size", "status",
"faces_checked", "findings"}, with the status of a refusal (jpeg.py) or 0. Where a thumbnail is wanted, it follows the
JPEG, with as many bytes as "thumbnail" says.
"""

import json
import os
import resource
import sys
from collections.abc import Sequence
from typing import Any

from PIL import Image

from hikflask.services.photos import face_detector, inspection_checks, jpeg
from hikflask.services.photos.face_detector import Face
from hikflask.services.photos.inspection_checks import TURN, TURNED, Box, Finding

# The limit of this process in bytes, without its libraries' code. The largest pictures take 400 to 540 MB.
MAX_MEMORY = 608 * 1024 * 1024
CLOCKWISE = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}
# A face is cut out of a picture whose longest side has at most so many pixels, 12 megapixels from a phone: turning and
# flattening a larger one would take several times its memory.
MAX_INPUT_SIDE = 4096
# A face with this score is upright, so that the photo need not be tried turned. One that is not has 0.8 at most.
SURELY_UPRIGHT = 0.85
# By how much the score of a turned photo must be better.
CLEARLY_BETTER = 0.05
# How much less than others a process in the background gets of the processor (nice).
NICE = 10


def check(
    data: bytes, turn: int, *, crop: bool, detect: bool, max_pixels: int = jpeg.MAX_PIXELS
) -> tuple[dict[str, Any], bytes]:
    """Return the findings about a picture, and the picture as a JPEG.

    :raises Unreadable: when the data is no JPEG, PNG or WebP.
    :raises TooManyPixels: when the picture has more than `max_pixels`.
    """
    picture, enlarged = _opened(data, turn, jpeg.MAX_SIDE, max_pixels)
    faces = face_detector.find(picture) if detect else []
    box = inspection_checks.frame(faces[0], picture.size, enlarged) if crop and len(faces) == 1 else None
    if box:
        picture, enlarged = _cropped(data, turn, picture.size, box)
        faces = face_detector.find(picture)
    box_of_face = None
    if faces:
        left, top = max(round(faces[0].left), 0), max(round(faces[0].top), 0)
        right, bottom = round(faces[0].left + faces[0].size), round(faces[0].top + faces[0].size)
        box_of_face = left, top, min(right, picture.width), min(bottom, picture.height)
    findings = inspection_checks.check_picture(picture, box_of_face)
    if detect and (degrees := _turned_by(picture, faces)):
        findings = [Finding(TURNED, {"degrees": degrees}, TURN, serious=True), *findings]
    elif detect:
        findings = [*inspection_checks.check_faces(faces, picture.size, enlarged), *findings]
    reply = {"faces_checked": detect, "findings": [vars(finding) for finding in findings]}
    return reply, jpeg.encode(picture)


def _opened(data: bytes, turn: int, longest_side: int, max_pixels: int = jpeg.MAX_PIXELS) -> tuple[Image.Image, float]:
    """Return a picture, turned, and how many times larger than that it is in the file."""
    with jpeg.open_picture(data, max_pixels=max_pixels) as opened:
        available = min(max(opened.size), MAX_INPUT_SIDE)
        picture = jpeg.decode(opened, min(longest_side, available))
    return picture.transpose(CLOCKWISE[turn]) if turn else picture, available / max(picture.size)


def _cropped(data: bytes, turn: int, size: tuple[int, int], box: Box) -> tuple[Image.Image, float]:
    """Cut a part out of the pixels of the file, as many as are kept; the box is in pixels of a picture of that size."""
    share = (box[3] - box[1]) / max(size)
    picture, enlarged = _opened(data, turn, round(jpeg.MAX_SIDE / share))
    factor = picture.width / size[0]
    left, top, right, bottom = (round(edge * factor) for edge in box)
    part = picture.crop((left, top, min(right, picture.width), min(bottom, picture.height)))
    part.thumbnail((jpeg.MAX_SIDE, jpeg.MAX_SIDE))
    return part, enlarged


def _turned_by(picture: Image.Image, faces: Sequence[Face]) -> int:
    """Return by how many degrees clockwise the picture must be turned so that the face is upright; mostly 0."""
    upright = max((face.score for face in faces), default=0.0)
    if upright >= SURELY_UPRIGHT:
        return 0
    # A face that was found is the same one in the turned picture, of the same size.
    smallest = min(face.size for face in faces) if upright >= face_detector.SURE else 0.0
    scores = {
        degrees: max((face.score for face in face_detector.find(picture.transpose(method), smallest)), default=0.0)
        for degrees, method in CLOCKWISE.items()
    }
    best = max(scores, key=lambda degrees: scores[degrees])
    return best if scores[best] > upright + CLEARLY_BETTER else 0


def answer(request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the answer about one picture, and the JPEG with its thumbnail behind it; a refusal has none."""
    detect = request["detect"] and face_detector.AVAILABLE
    try:
        reply, picture = check(
            data, request["turn"], crop=request["crop"], detect=detect, max_pixels=request["max_pixels"]
        )
    except jpeg.Unreadable as error:
        return {"status": error.status, "size": 0}, b""
    thumbnail = jpeg.thumbnail(picture) if request["thumbnail"] else b""
    return {**reply, "status": 0, "size": len(picture), "thumbnail": len(thumbnail)}, picture + thumbnail


def main() -> None:
    """Answer until standard input ends; with an argument, in the background."""
    if sys.argv[1:]:
        os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY, MAX_MEMORY))
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        reply, picture = answer(request, sys.stdin.buffer.read(request["size"]))
        sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n" + picture)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
