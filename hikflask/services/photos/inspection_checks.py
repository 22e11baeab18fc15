"""What a photo must be so that terminals take it: each check returns its findings. The thresholds are here.

Hikvision publishes no numbers for its terminals, which refuse with pupilDistanceTooSmall or multipleFaceObjectError;
where it is said, the numbers are those of other makers of face recognition. Sharpness and light are measured with
Pillow alone, in the face where one was found, else in the middle of the picture.

The child process tells the service the findings; hikflask/codes/refusals.py has their sentences.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageFilter, ImageOps, ImageStat

if TYPE_CHECKING:
    # It loads OpenCV, which the service must not.
    from hikflask.services.photos.face_detector import Face

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

# Pixels of the longer side. Below, terminals fail to model the face (one client), and that of an ordinary portrait has
# less than its 80 pixels; manuals of terminals and hikflask's own pictures begin at 400 x 300.
MIN_SIDE = 400
# Sharpness is the variance of the Laplacian where the face, or the middle of the picture, is this wide (pixels): about
# as large as terminals analyse it, so that a large photo may be softer than a small one. The drawn faces of the tests
# have 60 to 80 in focus, and 15 when they are blurred by a hundredth of the face's width, which a person sees at once.
SHARP_WIDTH = 160
MIN_SHARPNESS = 15.0
# Light, 0 (black) to 255 (white). Well-lit dark skin has a mean of about 60, fair skin in ordinary light up to 200.
# The limits are outside of both on purpose: what is said about a photo must not depend on whose it is.
MIN_LIGHT, MAX_LIGHT = 40.0, 215.0
# The share of pixels that may be burnt out, or black, in a face: they show nothing of it.
BURNT_OUT, BLACK = 250, 5
MAX_CLIPPED = 0.25
# The part of a picture that is measured when no face is known: each side of it as a share.
MIDDLE = 0.6
# Takes the grain of a sensor away before the Laplacian, which would take it for sharpness.
GRAIN = ImageFilter.GaussianBlur(1)
LAPLACIAN = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)

# The width of a face in the photo as it is kept, in pixels. Huawei's face recognition demands 80 and advises 120;
# AxxonSoft wants 60 between the pupils, which is a face of about 140.
MIN_FACE, GOOD_FACE = 80, 120
# The width of the face as a share of the photo's. Dahua asks for a third to two thirds.
MIN_SHARE, MAX_SHARE = 0.25, 0.7
# How far the middle of the face may be from the middle line, and from the top, as shares of the photo.
MAX_OFF_CENTRE = 0.2
MIN_FROM_TOP, MAX_FROM_TOP = 0.25, 0.7
# The frame that is cut out: 3:4, as the frame on the page; the face has half its width, and the hair finds room.
FRAME_WIDTH, FRAME_HEIGHT = 2.0, 2.0 * 4 / 3
FACE_FROM_TOP = 0.48
# Margins are shares: this much of a deviation is rounding.
SLACK = 0.01

Size = tuple[int, int]
Box = tuple[float, float, float, float]


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


def check_picture(picture: Image.Image, face: Box | None = None) -> list[Finding]:
    """Return what is wrong with the size, sharpness and light of a picture, in the box of the face if that is known."""
    width, height = picture.size
    left, top = int(width * (1 - MIDDLE) / 2), int(height * (1 - MIDDLE) / 2)
    part = picture.crop(face or (left, top, width - left, height - top)).convert("L")
    small = {"width": width, "height": height, "least": MIN_SIDE}
    size = [Finding(SMALL, small, serious=True)] if max(picture.size) < MIN_SIDE else []
    return [*size, *_sharpness(part), *_light(part)]


def _sharpness(grey: Image.Image) -> Iterator[Finding]:
    """Find that a grey picture of a face is blurred."""
    small = grey.copy()
    small.thumbnail((SHARP_WIDTH, SHARP_WIDTH * 2))
    if min(small.size) <= 2:
        return
    # Stretched first: what is dark is not blurred for that. The filter leaves the outermost pixels as they are, so
    # these are cut off.
    stretched = ImageOps.autocontrast(small, cutoff=1)
    edges = stretched.filter(GRAIN).filter(LAPLACIAN).crop((1, 1, small.width - 1, small.height - 1))
    if ImageStat.Stat(edges).var[0] < MIN_SHARPNESS:
        yield Finding(BLURRED)


def _light(grey: Image.Image) -> Iterator[Finding]:
    """Find that a grey picture of a face is too dark or too bright."""
    histogram = grey.histogram()
    pixels = grey.width * grey.height
    mean = sum(shade * count for shade, count in enumerate(histogram)) / pixels
    if mean < MIN_LIGHT or sum(histogram[: BLACK + 1]) > MAX_CLIPPED * pixels:
        yield Finding(DARK)
    elif mean > MAX_LIGHT or sum(histogram[BURNT_OUT:]) > MAX_CLIPPED * pixels:
        yield Finding(BRIGHT)


def check_faces(faces: "Sequence[Face]", size: Size, enlarged: float) -> list[Finding]:
    """Return what is wrong with the faces in a photo of this size, the largest first.

    :param enlarged: how many times larger the file is than the photo as it is kept: cropping brings that back.
    """
    if not faces:
        return [Finding(NO_FACE, serious=True)]
    if len(faces) > 1:
        return [Finding(SEVERAL_FACES, {"count": len(faces)}, serious=True)]
    face, problems = faces[0], []
    box = frame(face, size, enlarged)
    if face.size < GOOD_FACE:
        # Cropping makes the face larger only where the file has more pixels than the photo.
        fix = CROP if box and enlarged > 1 + SLACK and box[3] - box[1] < max(size) else ""
        small = {"px": round(face.size), "least": GOOD_FACE}
        problems.append(Finding(FACE_SMALL, small, fix, face.size < MIN_FACE))
    if not _has_margins(face, (0, 0, *size)):
        problems.append(Finding(MARGIN, fix=CROP if box else ""))
    return problems


def frame(face: "Face", size: Size, enlarged: float) -> Box | None:
    """Return what to cut out around a face: left, top, right and bottom in pixels, 3:4 and within the photo.

    It is large enough for MIN_SIDE pixels of the file. None where the face would not have its margins in it.
    """
    width, height = face.size * FRAME_WIDTH, face.size * FRAME_HEIGHT
    grown = max(1.0, MIN_SIDE / (height * enlarged))
    scale = min(grown, size[0] / width, size[1] / height)
    width, height = width * scale, height * scale
    x, y = face.middle
    left = min(max(x - width / 2, 0.0), size[0] - width)
    top = min(max(y - height * FACE_FROM_TOP, 0.0), size[1] - height)
    box = left, top, left + width, top + height
    return box if _has_margins(face, box) else None


def _has_margins(face: "Face", box: Sequence[float]) -> bool:
    """Return True when a face has its margins within this part of a photo."""
    left, top, right, bottom = box
    share = face.size / (right - left)
    aside = abs((face.middle[0] - left) / (right - left) - 0.5)
    from_top = (face.middle[1] - top) / (bottom - top)
    return (
        MIN_SHARE - SLACK <= share <= MAX_SHARE + SLACK
        and aside <= MAX_OFF_CENTRE + SLACK
        and MIN_FROM_TOP - SLACK <= from_top <= MAX_FROM_TOP + SLACK
    )
