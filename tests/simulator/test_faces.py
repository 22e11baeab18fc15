import io

from PIL import Image

from hikflask.simulator import faces
from hikflask.simulator.isapi.face_library import check_picture


def test_drawn_face_is_a_picture_every_terminal_takes() -> None:
    for name in faces.NAMES:
        jpeg = faces.draw(name)

        check_picture(jpeg)
        assert Image.open(io.BytesIO(jpeg)).size == (360, 480), name


def test_faces_differ_from_each_other() -> None:
    assert len({faces.draw(name) for name in faces.NAMES}) == len(faces.NAMES) >= 6


def test_same_name_gives_the_same_bytes() -> None:
    faces.paint.cache_clear()
    first = faces.draw("anna")
    faces.paint.cache_clear()

    assert faces.draw("anna") == first
