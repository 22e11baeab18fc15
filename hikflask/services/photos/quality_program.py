"""The program of the child process that checks photos, one after another; quality_process.py starts it.

It reads a line of JSON and as many bytes of a picture as the line says, and answers with a line of JSON and the JPEG.
The line is {"size", "turn", "crop", "detect"}; the answer {"size", "status", "faces_checked", "findings"}, with the
status of a refusal (jpeg.py) or 0.
"""

import json
import resource
import sys
from collections.abc import Sequence
from typing import Any

from PIL import Image

from hikflask.services.photos import face_checks, face_detector, jpeg, quality_checks
from hikflask.services.photos.face_checks import Box
from hikflask.services.photos.face_detector import Face
from hikflask.services.photos.findings import Finding

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


def check(data: bytes, turn: int, *, crop: bool, detect: bool) -> tuple[dict[str, Any], bytes]:
    """Return the findings about a picture, and the picture as a JPEG.

    :raises Unreadable: when the data is no JPEG or PNG.
    :raises TooManyPixels: when the picture has more than 40 megapixels.
    """
    picture, enlarged = _opened(data, turn, jpeg.MAX_SIDE)
    faces = face_detector.find(picture) if detect else []
    box = face_checks.frame(faces[0], picture.size, enlarged) if crop and len(faces) == 1 else None
    if box:
        picture, enlarged = _cropped(data, turn, picture.size, box)
        faces = face_detector.find(picture)
    findings = _check_light(picture, faces)
    if detect:
        degrees = _turned_by(picture, faces)
        of_faces = face_checks.check_faces(faces, picture.size, enlarged)
        findings = [face_checks.must_be_turned(degrees), *findings] if degrees else [*of_faces, *findings]
    reply = {"faces_checked": detect, "findings": [vars(finding) for finding in findings]}
    return reply, jpeg.encode(picture)


def _opened(data: bytes, turn: int, longest_side: int) -> tuple[Image.Image, float]:
    """Return a picture, turned, and how many times larger than that it is in the file."""
    with jpeg.open_picture(data) as opened:
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
    scores = {
        degrees: max((face.score for face in face_detector.find(picture.transpose(method))), default=0.0)
        for degrees, method in CLOCKWISE.items()
    }
    best = max(scores, key=lambda degrees: scores[degrees])
    return best if scores[best] > upright + CLEARLY_BETTER else 0


def _check_light(picture: Image.Image, faces: Sequence[Face]) -> list[Finding]:
    """Return the findings that need no face, measured in the face where there is one."""
    if not faces:
        return quality_checks.check_picture(picture)
    face = faces[0]
    left, top = max(round(face.left), 0), max(round(face.top), 0)
    right, bottom = round(face.left + face.size), round(face.top + face.size)
    return quality_checks.check_picture(picture, (left, top, min(right, picture.width), min(bottom, picture.height)))


def answer(request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the answer about one picture, and the JPEG; a refusal has none."""
    detect = request["detect"] and face_detector.AVAILABLE
    try:
        reply, picture = check(data, request["turn"], crop=request["crop"], detect=detect)
    except jpeg.Unreadable as error:
        return {"status": error.status, "size": 0}, b""
    return {**reply, "status": 0, "size": len(picture)}, picture


def main() -> None:
    """Answer until standard input ends."""
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY, MAX_MEMORY))
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        reply, picture = answer(request, sys.stdin.buffer.read(request["size"]))
        sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n" + picture)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
