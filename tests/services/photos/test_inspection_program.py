"""The program finds what is wrong with a photo, mends it where asked to, and looks at the result."""

import io
from functools import cache
from typing import Any

import pytest
from PIL import ExifTags, Image

from hikflask.services.photos import face_detector, inspection_program, jpeg
from hikflask.services.photos import inspection_checks as findings
from hikflask.services.photos.face_detector import Face
from hikflask.services.photos.inspection_program import answer, check
from hikflask.simulator.faces import NAMES, draw
from tests.support import drawn_faces
from tests.support.drawn_faces import DARK, FAIR, background, blurred, grainy, landscape, lit, place, portrait

ASKED = {"turn": 0, "crop": False, "detect": True, "max_pixels": jpeg.MAX_PIXELS, "thumbnail": True}


def found(photo: bytes, turn: int = 0, *, crop: bool = False) -> tuple[list[tuple[str, str]], Image.Image]:
    """The codes and fixes of what is found, and the photo as it is kept."""
    said, kept = check(photo, turn, crop=crop, detect=True)
    assert said["faces_checked"]
    assert len(kept) <= jpeg.MAX_JPEG_BYTES
    return [(one["code"], one["fix"]) for one in said["findings"]], Image.open(io.BytesIO(kept))


@cache
def good() -> Image.Image:
    return grainy(portrait((600, 800)))


def group() -> Image.Image:
    photo = background((1600, 1200))
    place(photo, FAIR, (400, 600), 300)
    place(photo, DARK, (1200, 600), 280)
    return photo


@cache
def far_away() -> Image.Image:
    """Somebody small in a photo of twelve megapixels."""
    photo = background((4000, 3000))
    place(photo, FAIR, (1200, 1800), 320)
    return grainy(photo)


def test_good_photo_has_no_findings_and_comes_out_as_it_is_kept() -> None:
    codes, kept = found(drawn_faces.jpeg(good()))

    assert codes == []
    assert (kept.format, kept.mode, kept.size) == ("JPEG", "RGB", (600, 800))


@pytest.mark.parametrize(
    ("photo", "code"),
    [
        pytest.param(landscape, findings.NO_FACE, id="landscape"),
        pytest.param(group, findings.SEVERAL_FACES, id="group"),
        pytest.param(lambda: grainy(blurred(portrait(), 12), 1), findings.BLURRED, id="blurred"),
        pytest.param(lambda: grainy(lit(portrait(), 0.15)), findings.DARK, id="dark"),
        pytest.param(lambda: grainy(lit(portrait(), 2.2)), findings.BRIGHT, id="bright"),
        pytest.param(lambda: grainy(portrait((270, 360))), findings.SMALL, id="small"),
        pytest.param(lambda: grainy(portrait(face=0.9)), findings.MARGIN, id="too near"),
    ],
)
def test_what_cannot_be_mended_is_found_without_a_fix(photo: Any, code: str) -> None:
    assert found(drawn_faces.jpeg(photo()))[0] == [(code, "")]


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_turned_photo_is_found_and_turning_it_mends_it(degrees: int) -> None:
    turned = drawn_faces.jpeg(good().rotate(degrees, expand=True))  # Pillow turns the other way round.

    said, _ = check(turned, 0, crop=False, detect=True)
    assert said["findings"] == [vars(findings.Finding(findings.TURNED, {"degrees": degrees}, "turn", serious=True))]

    codes, kept = found(turned, said["findings"][0]["params"]["degrees"])
    assert codes == []
    assert kept.size == (600, 800)


def test_photo_that_its_exif_data_turn_is_upright() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    out = io.BytesIO()
    good().rotate(90, expand=True).save(out, "JPEG", exif=exif)

    codes, kept = found(out.getvalue())

    assert codes == []
    assert kept.size == (600, 800)


def test_small_face_in_a_large_photo_is_found_and_cropping_takes_the_pixels_of_the_file() -> None:
    photo = drawn_faces.jpeg(far_away())

    assert found(photo)[0] == [(findings.FACE_SMALL, "crop"), (findings.MARGIN, "crop")]

    codes, kept = found(photo, crop=True)
    assert codes == []
    # Twice the face in the file, not in the photo of 1200 pixels.
    assert kept.width == pytest.approx(640, rel=0.15)
    assert kept.height == pytest.approx(kept.width * 4 / 3, abs=2)


def test_turned_photo_is_turned_and_cropped_at_once() -> None:
    codes, kept = found(drawn_faces.jpeg(far_away().rotate(90, expand=True)), 90, crop=True)

    assert codes == []
    assert kept.width < kept.height


def test_cropping_where_it_does_not_help_changes_nothing() -> None:
    for photo in (landscape(), portrait(face=0.9), good().rotate(90, expand=True)):
        assert found(drawn_faces.jpeg(photo), crop=True)[1].size == photo.size


def test_of_a_group_nobody_is_chosen() -> None:
    assert found(drawn_faces.jpeg(group()), crop=True)[0] == [(findings.SEVERAL_FACES, "")]


def test_faces_of_the_simulator_are_good_photos() -> None:
    for name in NAMES:
        assert found(draw(name))[0] == [], name


def test_light_is_measured_in_the_face() -> None:
    photo = background((900, 1200), (255, 255, 255))
    place(photo, FAIR, (450, 600), 400)

    assert found(drawn_faces.jpeg(grainy(photo)))[0] == []


def test_without_detection_size_sharpness_and_light_are_found() -> None:
    poor = drawn_faces.jpeg(lit(portrait((270, 360)), 0.1))

    said, kept = check(poor, 90, crop=True, detect=False)

    assert not said["faces_checked"]
    assert [one["code"] for one in said["findings"]] == [findings.SMALL, findings.DARK]
    assert Image.open(io.BytesIO(kept)).size == (360, 270)


def test_what_is_no_picture_is_answered_with_the_status_of_its_refusal() -> None:
    assert answer(ASKED, b"no picture") == ({"status": jpeg.Unreadable.status, "size": 0}, b"")
    huge = io.BytesIO()
    Image.new("1", (8000, 5001)).save(huge, "PNG")
    assert answer(ASKED, huge.getvalue()) == ({"status": jpeg.TooManyPixels.status, "size": 0}, b"")


def test_every_kind_of_file_that_is_kept_can_be_looked_at() -> None:
    for mode in ("1", "L", "P", "RGB", "RGBA", "LA", "I;16"):
        out = io.BytesIO()
        Image.new(mode, (60, 80)).save(out, "PNG")
        reply, pictures = answer({**ASKED, "turn": 180, "crop": True}, out.getvalue())
        assert (reply["status"], reply["size"] + reply["thumbnail"]) == (0, len(pictures)), mode


def test_thumbnail_follows_the_photo_where_it_is_wanted() -> None:
    photo = drawn_faces.jpeg(good())

    reply, pictures = answer(ASKED, photo)
    without, kept = answer({**ASKED, "thumbnail": False}, photo)

    assert (without["thumbnail"], pictures[: reply["size"]]) == (0, kept)
    thumbnail = Image.open(io.BytesIO(pictures[reply["size"] :]))
    assert (thumbnail.format, thumbnail.size) == ("JPEG", (120, 160))


def test_reduced_photo_has_the_same_findings_as_the_whole_one() -> None:
    for photo in (portrait((1800, 2400)), blurred(portrait((1800, 2400)), 24), lit(portrait((1800, 2400)), 0.15)):
        whole, reduced = grainy(photo, 1), grainy(photo.reduce(2), 1)

        assert found(drawn_faces.jpeg(whole))[0] == found(drawn_faces.jpeg(reduced))[0]


def test_turned_photo_is_looked_through_only_for_the_face_that_is_known_and_the_answer_is_the_same() -> None:
    for photo in (grainy(portrait(face=0.2)), grainy(portrait())):
        for turned in (photo, photo.transpose(Image.Transpose.ROTATE_90)):
            turned.thumbnail((jpeg.MAX_SIDE, jpeg.MAX_SIDE))
            faces = face_detector.find(turned)

            assert inspection_program._turned_by(turned, faces) == turned_by_all_windows(turned, faces)


def turned_by_all_windows(picture: Image.Image, faces: list[Face]) -> int:
    """By how many degrees a picture is turned, found by looking through all of it each way."""
    upright = max((face.score for face in faces), default=0.0)
    if upright >= inspection_program.SURELY_UPRIGHT:
        return 0
    turned = {degrees: picture.transpose(method) for degrees, method in inspection_program.CLOCKWISE.items()}
    scores = {
        degrees: max((face.score for face in face_detector.find(photo)), default=0.0)
        for degrees, photo in turned.items()
    }
    best = max(scores, key=lambda degrees: scores[degrees])
    return best if scores[best] > upright + inspection_program.CLEARLY_BETTER else 0
