"""Looks at a photo before it is sent: is there one face, is it large, sharp, well lit and upright enough?

A child process does the work (quality_program.py). It needs OpenCV to find the face; without it, the checks that need
the face are left out, and `Looked.faces_checked` is False.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import IO, Any

from flask import current_app

from hikflask.services.photos import jpeg_process
from hikflask.services.photos.findings import Finding

__all__ = ["TURNS", "Finding", "Looked", "finds_faces", "look"]

# Degrees clockwise.
TURNS = (0, 90, 180, 270)
# The library that finds faces, and the setting that switches it off.
LIBRARY, SETTING, OFF = "cv2", "FACE_DETECTION", "off"


@dataclass(frozen=True)
class Looked:
    """A photo as it is kept (a baseline JPEG of at most 200 KB) and what was found in it.

    :ivar faces_checked: False when no library finds faces here, so that nothing is known of the face.
    """

    jpeg: bytes
    findings: tuple[Finding, ...]
    faces_checked: bool


def look(stream: IO[bytes], *, turn: int = 0, crop: bool = False) -> Looked:
    """Return a photo as it is kept, turned and cropped as asked for, with what is found in the result.

    :param turn: degrees clockwise, one of TURNS, after the turn that the EXIF data ask for.
    :param crop: cut out the face with the margins that terminals want, from the pixels of the file. Nothing is cut
        where no face is found.
    :raises BadPhoto, PhotosWaiting: as jpeg_process.baseline_jpeg().
    """
    if turn not in TURNS:
        raise ValueError(f"a turn by {turn} degrees")
    return _answer(jpeg_process.looked_at(stream, _arguments(turn, crop)))


def finds_faces() -> bool:
    """Return True when faces are looked for here: the library is installed, and the setting does not forbid it."""
    return current_app.config[SETTING] != OFF and find_spec(LIBRARY) is not None


def _arguments(turn: int, crop: bool) -> Sequence[str]:
    wishes = {"crop": crop, "blind": current_app.config[SETTING] == OFF}
    return [str(turn), *(wish for wish, wanted in wishes.items() if wanted)]


def _answer(told: bytes) -> Looked:
    """Return what the child process wrote: one line of JSON, then the JPEG."""
    line, _, picture = told.partition(b"\n")
    said: dict[str, Any] = json.loads(line)
    return Looked(picture, tuple(Finding(**one) for one in said["findings"]), said["faces_checked"])
