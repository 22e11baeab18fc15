"""Looks at a photo before it is sent: is there one face, is it large, sharp, well lit and upright enough?

A child process does the work (quality_program.py). It needs OpenCV to find the face; without it, the checks that need
the face are left out, and `Looked.faces_checked` is False.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import IO, Protocol

from flask import current_app

from hikflask.services.core.db import end_read
from hikflask.services.photos.findings import Finding
from hikflask.services.photos.quality_process import Child

__all__ = ["TURNS", "Finding", "Looked", "finds_faces", "look", "looking"]

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


class Look(Protocol):
    """What looks at one photo; see look()."""

    def __call__(self, stream: IO[bytes], *, turn: int = 0, crop: bool = False) -> Looked:
        """Return a photo as it is kept, with what is found in it."""
        ...


def look(stream: IO[bytes], *, turn: int = 0, crop: bool = False) -> Looked:
    """Return a photo as it is kept, turned and cropped as asked for, with what is found in the result.

    :param turn: degrees clockwise, one of TURNS, after the turn that the EXIF data ask for.
    :param crop: cut out the face with the margins that terminals want, from the pixels of the file. Nothing is cut
        where no face is found, or where it would not have its margins then.
    :raises BadPhoto, PhotosWaiting: as jpeg_process.baseline_jpeg().
    """
    with looking() as look_at:
        return look_at(stream, turn=turn, crop=crop)


@contextmanager
def looking() -> Iterator[Look]:
    """Within its block many photos can be looked at, one after another, at a fifth of the time."""

    def look_at(stream: IO[bytes], *, turn: int = 0, crop: bool = False) -> Looked:
        if turn not in TURNS:
            raise ValueError(f"a turn by {turn} degrees")
        end_read()  # A photo may have to wait for its turn.
        detect = current_app.config[SETTING] != OFF
        said, picture = child.ask(stream, {"turn": turn, "crop": crop, "detect": detect})
        return Looked(picture, tuple(Finding(**one) for one in said["findings"]), said["faces_checked"])

    with closing(Child()) as child:
        yield look_at


def finds_faces() -> bool:
    """Return True when faces are looked for here: the library is installed, and the setting does not forbid it."""
    return current_app.config[SETTING] != OFF and find_spec(LIBRARY) is not None
