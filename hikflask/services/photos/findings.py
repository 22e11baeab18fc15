"""What is wrong with a photo, as the child process tells it to the service; hikflask/messages.py has the sentences."""

from dataclasses import dataclass, field
from typing import Any

# What the page offers to do about a finding; without a fix another photo is needed.
TURN, CROP = "turn", "crop"

NO_FACE = "photo_no_face"
SEVERAL_FACES = "photo_several_faces"
FACE_SMALL = "photo_face_small"
TURNED = "photo_turned"
MARGIN = "photo_margin"
SMALL = "photo_small"
BLURRED = "photo_blurred"
DARK = "photo_dark"
BRIGHT = "photo_bright"
CODES = (NO_FACE, SEVERAL_FACES, FACE_SMALL, TURNED, MARGIN, SMALL, BLURRED, DARK, BRIGHT)


@dataclass(frozen=True)
class Finding:
    """One thing that a terminal, or a person who looks at the card, will dislike about a photo.

    `fix` is what mends it: TURN (by params["degrees"] clockwise), CROP, or "". `serious` means that a terminal is
    expected to refuse the photo.
    """

    code: str
    params: dict[str, Any] = field(default_factory=dict)
    fix: str = ""
    serious: bool = False
