"""What must be true of the face in a photo: one, upright, large, and with margins. The thresholds are here.

Hikvision publishes no numbers for its terminals, which refuse with pupilDistanceTooSmall or multipleFaceObjectError;
where it is said, the numbers are those of other makers of face recognition.
"""

from collections.abc import Sequence

from hikflask.services.photos import findings
from hikflask.services.photos.face_detector import Face
from hikflask.services.photos.findings import CROP, TURN, Finding
from hikflask.services.photos.quality_checks import MIN_SIDE

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


def check_faces(faces: Sequence[Face], size: Size, enlarged: float) -> list[Finding]:
    """Return what is wrong with the faces in a photo of this size, the largest first.

    :param enlarged: how many times larger the file is than the photo as it is kept: cropping brings that back.
    """
    if not faces:
        return [Finding(findings.NO_FACE, serious=True)]
    if len(faces) > 1:
        return [Finding(findings.SEVERAL_FACES, {"count": len(faces)}, serious=True)]
    face, problems = faces[0], []
    box = frame(face, size, enlarged)
    if face.size < GOOD_FACE:
        # Cropping makes the face larger only where the file has more pixels than the photo.
        fix = CROP if box and enlarged > 1 + SLACK and box[3] - box[1] < max(size) else ""
        small = {"px": round(face.size), "least": GOOD_FACE}
        problems.append(Finding(findings.FACE_SMALL, small, fix, face.size < MIN_FACE))
    if not _fits(face, (0, 0, *size)):
        problems.append(Finding(findings.MARGIN, fix=CROP if box else ""))
    return problems


def must_be_turned(degrees: int) -> Finding:
    """Return the finding that the photo must be turned by so many degrees clockwise."""
    return Finding(findings.TURNED, {"degrees": degrees}, TURN, serious=True)


def frame(face: Face, size: Size, enlarged: float) -> Box | None:
    """Return what to cut out around a face: left, top, right and bottom in pixels, 3:4 and within the photo.

    It is large enough for MIN_SIDE pixels of the file. None where the face would not have its margins in it.
    """
    width, height = face.size * FRAME_WIDTH, face.size * FRAME_HEIGHT
    grown = max(1.0, MIN_SIDE / (height * enlarged))
    fit = min(grown, size[0] / width, size[1] / height)
    width, height = width * fit, height * fit
    x, y = face.middle
    left = min(max(x - width / 2, 0.0), size[0] - width)
    top = min(max(y - height * FACE_FROM_TOP, 0.0), size[1] - height)
    box = left, top, left + width, top + height
    return box if _fits(face, box) else None


def _fits(face: Face, box: Sequence[float]) -> bool:
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
