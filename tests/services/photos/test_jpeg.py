"""What a terminal gave counts as a picture when it can be decoded."""

import hashlib
import io
from collections.abc import Callable

import pytest
from PIL import Image

from hikflask.services.photos.jpeg import is_picture
from hikflask.simulator.faces import NAMES, draw

FACE = draw(NAMES[0])
START, END = b"\xff\xd8", b"\xff\xd9"


def jpeg(picture: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", **options)
    return out.getvalue()


def noise(seed: int, length: int = 4000) -> bytes:
    """Bytes without meaning, the same for the same seed."""
    return hashlib.shake_256(bytes([seed])).digest(length)


def detailed() -> Image.Image:
    """A picture with something to see everywhere, as a camera's."""
    spots = Image.frombytes("RGB", (30, 40), noise(0, 30 * 40 * 3))
    return spots.resize((480, 640), Image.Resampling.BICUBIC)


WHOLE = {
    "drawn": lambda: FACE,
    "detailed": lambda: jpeg(detailed()),
    "4:4:4": lambda: jpeg(detailed(), subsampling="4:4:4"),
    "grey": lambda: jpeg(detailed().convert("L")),
    "one colour": lambda: jpeg(Image.new("RGB", (480, 640), "navy")),
    "progressive": lambda: jpeg(detailed(), progressive=True),
    "restarted in each row": lambda: jpeg(detailed(), restart_marker_rows=1),
    "restarted everywhere": lambda: jpeg(detailed(), restart_marker_blocks=1),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_whole_jpeg_is_a_picture(kind: str) -> None:
    picture = WHOLE[kind]()

    assert is_picture(picture)
    assert is_picture(picture + b"what hangs on it" + END)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(lambda: b"", id="nothing"),
        pytest.param(lambda: START + END, id="start and end"),
        pytest.param(lambda: START + noise(0) + END, id="noise"),
        pytest.param(lambda: START + b"\xff\xe0<html>Document Error: Not Found</html>" + END, id="a page of text"),
        pytest.param(lambda: FACE[:300] + END, id="head alone"),
        pytest.param(lambda: b"\x89PNG" + FACE, id="something before it"),
    ],
)
def test_what_only_begins_and_ends_as_a_jpeg_is_no_picture(data: Callable[[], bytes]) -> None:
    assert not is_picture(data())


def test_more_than_four_megapixels_come_from_no_terminal() -> None:
    assert is_picture(jpeg(Image.new("L", (2000, 2000))))
    assert not is_picture(jpeg(Image.new("L", (2001, 2000))))
    at = FACE.index(b"\xff\xc0") + 5
    assert not is_picture(FACE[:at] + b"\xff\xdc\xff\xdc" + FACE[at + 4 :])
