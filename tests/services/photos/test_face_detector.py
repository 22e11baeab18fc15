"""Drawn faces are found where they are, of any size, colour and sharpness; what is no face is not."""

import hashlib

import pytest
from PIL import Image

from hikflask.services.photos import face_detector
from hikflask.services.photos.face_detector import Face, find
from tests.support import drawn_faces
from tests.support.drawn_faces import DARK, FAIR, RED_HAIRED, background, grainy, landscape, place, portrait


@pytest.mark.parametrize("person", [FAIR, DARK, RED_HAIRED])
def test_face_is_found_where_it_is(person: drawn_faces.Person) -> None:
    photo = background((1200, 1200))
    place(photo, person, (500, 700), 400)

    (face,) = find(grainy(photo))

    assert face.size == pytest.approx(400, rel=0.15)
    assert face.middle == pytest.approx((500, 700), abs=40)
    assert abs(face.roll) < 10
    assert face.eye[0] < face.middle[0] < face.other_eye[0]
    assert face.score > face_detector.SURE


def test_face_is_found_from_a_twentieth_of_the_photo_to_all_of_it() -> None:
    for share in (0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 0.9):
        (face,) = find(grainy(portrait(face=share)))

        assert face.size == pytest.approx(900 * share, rel=0.3), share


def test_poor_photo_still_shows_its_face() -> None:
    good = portrait()
    for poor in (drawn_faces.blurred(good, 20), drawn_faces.lit(good, 0.15), drawn_faces.lit(good, 2.0)):
        assert len(find(poor)) == 1


def test_largest_of_two_faces_comes_first() -> None:
    photo = background((1600, 1200))
    place(photo, FAIR, (400, 600), 240)
    place(photo, DARK, (1150, 600), 320)

    larger, smaller = find(photo)

    assert larger.middle[0] > smaller.middle[0]
    assert larger.size > smaller.size


def test_much_smaller_face_in_the_background_counts_as_none() -> None:
    photo = background((1600, 1200))
    place(photo, FAIR, (700, 600), 400)
    place(photo, DARK, (1400, 300), 100)

    (face,) = find(photo)

    assert face.size > 300


def test_face_that_is_cut_off_by_the_edge_is_found_beyond_it() -> None:
    photo = background((900, 1200))
    place(photo, FAIR, (100, 600), 400)

    (face,) = find(photo)

    assert face.left < 0


@pytest.mark.parametrize(
    "nothing",
    [
        pytest.param(landscape, id="landscape"),
        pytest.param(lambda: background((900, 1200)), id="wall"),
        pytest.param(lambda: grainy(background((900, 1200)), 80), id="noise"),
        pytest.param(lambda: portrait().rotate(90, expand=True), id="on its side"),
        pytest.param(lambda: Image.new("RGB", (1, 1)), id="one pixel"),
        pytest.param(lambda: Image.new("RGB", (1200, 1)), id="one row"),
    ],
)
def test_what_is_no_upright_face_is_not_found(nothing: object) -> None:
    assert callable(nothing)
    assert find(nothing()) == []


def test_faces_overlap_by_their_share_of_the_smaller_one() -> None:
    def at(left: float, size: float) -> Face:
        return Face(left, 0, size, (0, 0), (1, 0), 1)

    assert at(0, 10).overlap(at(5, 10)) == 0.5
    assert at(0, 10).overlap(at(8, 2)) == 1.0
    assert at(0, 10).overlap(at(10, 10)) == 0.0


def test_model_is_the_one_that_its_readme_names() -> None:
    digest = hashlib.sha256(face_detector.MODEL.read_bytes()).hexdigest()

    assert digest in (face_detector.MODEL.parent / "README.md").read_text(encoding="utf-8")
