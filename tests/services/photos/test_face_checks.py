"""The face in a photo must be one, large, and with margins; the frame around it is cut to that."""

import pytest

from hikflask.services.photos import face_checks, findings
from hikflask.services.photos.face_checks import check_faces, frame
from hikflask.services.photos.face_detector import Face
from hikflask.services.photos.findings import Finding

SIZE = (900, 1200)


def face(size: float = 450, x: float = 450, y: float = 570) -> Face:
    """A face in the middle of a portrait, as terminals want it, unless something else is said."""
    return Face(x - size / 2, y - size / 2, size, (x - size / 5, y), (x + size / 5, y), 0.9)


def test_face_as_terminals_want_it_has_no_findings() -> None:
    assert check_faces([face()], SIZE, 1.0) == []


def test_no_face_and_several_faces_are_serious() -> None:
    assert check_faces([], SIZE, 1.0) == [Finding(findings.NO_FACE, serious=True)]
    assert check_faces([face(), face(300)], SIZE, 1.0) == [Finding(findings.SEVERAL_FACES, {"count": 2}, serious=True)]


@pytest.mark.parametrize(("width", "serious"), [(119, False), (80, False), (79, True)])
def test_small_face_is_found_and_one_that_terminals_refuse_is_serious(width: int, serious: bool) -> None:
    found = check_faces([face(width)], SIZE, 1.0)[0]

    assert found == Finding(findings.FACE_SMALL, {"px": width, "least": 120}, serious=serious)


def test_small_face_is_mended_by_cropping_only_where_the_file_has_more_pixels() -> None:
    assert check_faces([face(90)], SIZE, 4.0)[0].fix == findings.CROP
    assert check_faces([face(90)], SIZE, 1.0)[0].fix == ""


@pytest.mark.parametrize(
    ("place", "fix"),
    [
        pytest.param(face(190), findings.CROP, id="far away"),
        pytest.param(face(700), "", id="too near"),
        pytest.param(face(300, x=230), findings.CROP, id="aside"),
        pytest.param(face(300, x=60), "", id="cut off"),
        pytest.param(face(250, y=240), findings.CROP, id="high"),
        pytest.param(face(300, y=1190), "", id="at the bottom"),
    ],
)
def test_face_without_its_margins_is_found_and_cropping_is_offered_where_it_helps(place: Face, fix: str) -> None:
    assert check_faces([place], SIZE, 1.0) == [Finding(findings.MARGIN, fix=fix)]


def test_frame_is_three_to_four_around_the_face() -> None:
    box = frame(face(150), SIZE, 4.0)

    assert box is not None
    left, top, right, bottom = box
    assert (right - left, bottom - top) == (300, 400)
    assert ((left + right) / 2, top) == (450, 570 - 400 * face_checks.FACE_FROM_TOP)


def test_frame_stays_within_the_photo() -> None:
    for x in (100, 300, 600, 800):
        for y in (100, 400, 800, 1100):
            for size in (100, 300, 600):
                left, top, right, bottom = frame(face(size, x, y), SIZE, 2.0) or (0, 0, *SIZE)
                assert left >= 0
                assert top >= 0
                assert right <= SIZE[0] + 1e-6
                assert bottom <= SIZE[1] + 1e-6


def test_frame_of_a_small_face_has_the_least_pixels_that_a_photo_needs() -> None:
    box = frame(face(90), SIZE, 1.0)

    assert box is not None
    assert box[3] - box[1] == pytest.approx(400)


def test_there_is_no_frame_where_the_face_would_have_no_margins() -> None:
    assert frame(face(300, x=60), SIZE, 1.0) is None
    assert frame(face(60), SIZE, 1.0) is None


def test_photo_that_is_turned_is_serious_and_mended_by_turning() -> None:
    assert face_checks.must_be_turned(90) == Finding(findings.TURNED, {"degrees": 90}, findings.TURN, serious=True)
