"""Checks a photo before it is sent: is there one face, is it large, sharp, well lit and upright enough?

A child process does the work (quality_program.py). It needs OpenCV to find the face; without it, the checks that need
the face are left out, and `CheckedPhoto.faces_checked` is False.
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

__all__ = ["TURNS", "CheckedPhoto", "Finding", "check_photo", "finds_faces", "photo_checker"]

# Degrees clockwise.
TURNS = (0, 90, 180, 270)
# The library that finds faces, and the setting that switches it off.
LIBRARY, SETTING, OFF = "cv2", "FACE_DETECTION", "off"


@dataclass(frozen=True)
class CheckedPhoto:
    """A photo as it is kept (a baseline JPEG of at most 200 KB) and its findings.

    :ivar faces_checked: False when no library finds faces here, so that nothing is known of the face.
    """

    jpeg: bytes
    findings: tuple[Finding, ...]
    faces_checked: bool


class PhotoCheck(Protocol):
    """A function with the arguments of check_photo()."""

    def __call__(self, stream: IO[bytes], *, turn: int = 0, crop: bool = False) -> CheckedPhoto:
        """Return the photo as it is kept, with its findings."""
        ...


def check_photo(stream: IO[bytes], *, turn: int = 0, crop: bool = False) -> CheckedPhoto:
    """Return a photo as it is kept, turned and cropped as requested, with the findings about the result.

    :param turn: degrees clockwise, one of TURNS, after the turn that the EXIF data ask for.
    :param crop: cut out the face with the margins that terminals want, from the pixels of the file. Nothing is cut
        where no face is found, or where it would not have its margins then.
    :raises BadPhoto: when it is no JPEG or PNG, has more than 10 MB or more than 40 megapixels.
    :raises PhotosWaiting: when too many uploads wait already, or this one takes too long.
    """
    with photo_checker() as check:
        return check(stream, turn=turn, crop=crop)


@contextmanager
def photo_checker() -> Iterator[PhotoCheck]:
    """Check many photos one after another within the block, in a fifth of the time that check_photo() takes."""

    def check(stream: IO[bytes], *, turn: int = 0, crop: bool = False) -> CheckedPhoto:
        if turn not in TURNS:
            raise ValueError(f"a turn by {turn} degrees")
        end_read()  # A photo may have to wait for its turn.
        detect = current_app.config[SETTING] != OFF
        reply, picture = child.ask(stream, {"turn": turn, "crop": crop, "detect": detect})
        return CheckedPhoto(picture, tuple(Finding(**fields) for fields in reply["findings"]), reply["faces_checked"])

    with closing(Child()) as child:
        yield check


def finds_faces() -> bool:
    """Return True when faces are detected: the library is installed, and the setting does not forbid it."""
    return current_app.config[SETTING] != OFF and find_spec(LIBRARY) is not None
