"""Finds faces with BlazeFace, a small network (229 KB, see blazeface/README.md) that OpenCV runs: 2 ms for each window.

OpenCV is optional: where it is not installed, AVAILABLE is False and find() must not be called. This module is imported
by the child process alone, never by the service.

The network looks at a square of 128 x 128 pixels and sees faces that are about an eighth of it or larger. So a picture
is searched at three sizes: as a whole, and in overlapping windows at twice and four times that size.
"""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

try:
    if os.environ.get("HIKFLASK_FACE_DETECTION") == "off":
        raise ImportError("nobody looks for faces: loading the library would take longer than all the rest")
    import cv2
    import numpy as np
except ImportError:
    AVAILABLE = False
else:
    AVAILABLE = True
    cv2.setNumThreads(1)

MODEL = Path(__file__).with_name("blazeface") / "face_detection_short_range.tflite"
SIDE = 128
# The network's two grids of anchors: cells in a row, anchors in a cell.
GRIDS = ((16, 2), (8, 6))
ENGINE = "ENGINE_CLASSIC"
SCORES, BOXES = "classificators", "regressors"
# The picture's longest side in windows. Faces of at least a thirtieth of it are found.
LEVELS = (1, 2, 4)
# The least scores: of a face in the whole picture, and in the many windows, where chance has many tries.
MIN_SCORES = {1: 0.6, 2: 0.8, 4: 0.8}
# The smallest face, as a share of a window, that is found for sure; and the score of a find that is no chance.
MIN_FACE_IN_WINDOW = 0.15
SURE = 0.75
# A smaller face, as a share of the largest one, is in the background, on a poster or on a shirt, and counts as none.
MIN_OTHER_SCORE = 0.4
# A face that fills more of a window is a matter for the larger window.
MAX_FACE_IN_WINDOW = 0.6
# Two finds are one face when they share this part of the smaller one.
MAX_OVERLAP = 0.3

Point = tuple[float, float]


@dataclass(frozen=True)
class Face:
    """A face in a picture: the square from the brow to the chin and the two eyes, in pixels; score 0 to 1."""

    left: float
    top: float
    size: float
    eye: Point
    other_eye: Point
    score: float

    @property
    def middle(self) -> tuple[float, float]:
        """Return the middle of the square."""
        return self.left + self.size / 2, self.top + self.size / 2

    @property
    def roll(self) -> float:
        """Return by how many degrees the head leans, -180 to 180; 0 is upright."""
        return math.degrees(math.atan2(self.other_eye[1] - self.eye[1], self.other_eye[0] - self.eye[0]))

    def overlap(self, other: "Face") -> float:
        """Return the shared part of the two squares as a share of the smaller one."""
        width = min(self.left + self.size, other.left + other.size) - max(self.left, other.left)
        height = min(self.top + self.size, other.top + other.size) - max(self.top, other.top)
        return max(width, 0.0) * max(height, 0.0) / min(self.size, other.size) ** 2

    def placed(self, left: float, top: float, scale: float) -> "Face":
        """Return the face in the picture from which a window was cut out here, of a picture reduced to this scale."""

        def back(x: float, y: float) -> Point:
            return (x + left) / scale, (y + top) / scale

        x, y = back(self.left, self.top)
        return Face(x, y, self.size / scale, back(*self.eye), back(*self.other_eye), self.score)


def find(picture: Image.Image, smallest: float = 0.0) -> list[Face]:
    """Return the faces in a picture in RGB, the largest first, without heads that lean by more than 45 degrees.

    :param smallest: the size in pixels below which faces need not be found.
    """
    faces: list[Face] = []
    # The picture is never enlarged, except at the first level.
    for level in (level for level in LEVELS if level == 1 or SIDE * level <= max(picture.size)):
        for face in sorted(_on_level(picture, level), key=lambda face: -face.score):
            if all(face.overlap(other) <= MAX_OVERLAP for other in faces):
                faces.append(face)
        largest = max((face.size for face in faces if face.score >= SURE), default=0.0)
        if max(largest * MIN_OTHER_SCORE, smallest) >= MIN_FACE_IN_WINDOW * max(picture.size) / level:
            break  # What the smaller windows could find besides counts as none.
    faces.sort(key=lambda face: -face.size)
    return [face for face in faces if face.size >= MIN_OTHER_SCORE * faces[0].size]


def _on_level(picture: Image.Image, level: int) -> Iterator[Face]:
    """Find faces in the picture at the size of so many windows."""
    scale = SIDE * level / max(picture.size)
    size = max(round(picture.width * scale), 1), max(round(picture.height * scale), 1)
    small = picture.resize(size, reducing_gap=2)
    for left in _starts(small.width):
        for top in _starts(small.height):
            window = small.crop((left, top, left + SIDE, top + SIDE))
            for face in _in_window(window, MIN_SCORES[level]):
                if level == 1 or face.size <= MAX_FACE_IN_WINDOW * SIDE:
                    yield face.placed(left, top, scale)


def _starts(length: int) -> list[int]:
    """Return where the windows begin that cover this length, each half over the next. A short one is in the middle."""
    if length <= SIDE:
        return [(length - SIDE) // 2]
    count = math.ceil((length - SIDE) / (SIDE // 2))
    return [round(number * (length - SIDE) / count) for number in range(count + 1)]


def _in_window(window: Image.Image, least_score: float) -> Iterator[Face]:
    net = _network()
    net.setInput(cv2.dnn.blobFromImage(np.asarray(window), 2 / 255, (SIDE, SIDE), (127.5, 127.5, 127.5)))
    scores, boxes = net.forward([SCORES, BOXES])
    for anchor in np.flatnonzero(scores > math.log(least_score / (1 - least_score))):
        # Middle, width, height and points (the first two are the eyes) are relative to the anchor.
        from_left, from_top = _anchors()[anchor]
        x, y, width, height, *points = map(float, boxes.reshape(-1, 16)[anchor])
        size = (width + height) / 2
        eye, other_eye = ((from_left + points[at], from_top + points[at + 1]) for at in (0, 2))
        score = 1 / (1 + math.exp(-float(scores.flat[anchor])))
        face = Face(from_left + x - size / 2, from_top + y - size / 2, size, eye, other_eye, score)
        if abs(face.roll) <= 45:
            yield face


@cache
def _network() -> Any:
    # OpenCV 5 has a new engine besides, which loses one of the network's two answers.
    classic = [getattr(cv2.dnn, ENGINE)] if hasattr(cv2.dnn, ENGINE) else []
    return cv2.dnn.readNetFromTFLite(str(MODEL), *classic)


@cache
def _anchors() -> list[Point]:
    """Return the middles of the cells in the order of the network's answers, in pixels."""
    return [
        ((column + 0.5) * SIDE / cells, (row + 0.5) * SIDE / cells)
        for cells, each in GRIDS
        for row in range(cells)
        for column in range(cells)
        for _ in range(each)
    ]
