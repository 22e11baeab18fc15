"""Size, sharpness and light are measured without knowing where the face is, or in the face."""

from collections.abc import Sequence

from PIL import Image

from hikflask.services.photos import findings
from hikflask.services.photos.quality_checks import check_picture
from tests.support.drawn_faces import DARK, FAIR, RED_HAIRED, blurred, grainy, lit, portrait

# Where portrait() draws the face.
FACE = (220, 370, 680, 830)


def codes(photo: Image.Image, face: tuple[int, int, int, int] | None = None) -> Sequence[str]:
    return [one.code for one in check_picture(photo, face)]


def test_good_photo_has_no_findings_whoever_is_in_it() -> None:
    for person in (FAIR, DARK, RED_HAIRED):
        photo = grainy(portrait(person=person))
        assert codes(photo) == codes(photo, FACE) == []


def test_small_photo_is_found_with_its_size() -> None:
    (found,) = check_picture(grainy(portrait((270, 360))))

    assert found.code == findings.SMALL
    assert found.params == {"width": 270, "height": 360, "least": 400}
    assert found.serious
    assert codes(grainy(portrait((300, 400)))) == []


def test_photo_out_of_focus_is_blurred() -> None:
    for radius in (8, 12, 30):
        photo = grainy(blurred(portrait(), radius), 1)
        assert codes(photo, FACE) == [findings.BLURRED], radius
        # What is dark is not sharper or less sharp for that, and neither is what is grainy.
        assert codes(grainy(lit(photo, 0.7), 4), FACE) == [findings.BLURRED], radius
    assert codes(grainy(blurred(portrait(), 30), 1)) == [findings.BLURRED]


def test_large_photo_may_be_softer_than_a_small_one() -> None:
    assert codes(blurred(portrait(), 3), FACE) == []
    assert findings.BLURRED in codes(blurred(portrait((300, 400)), 3))


def test_photo_without_light_is_dark() -> None:
    for person in (FAIR, DARK):
        assert codes(grainy(lit(portrait(person=person), 0.2)), FACE) == [findings.DARK]
    assert codes(lit(portrait(person=DARK), 0.6), FACE) == []


def test_photo_with_too_much_light_is_bright() -> None:
    assert codes(grainy(lit(portrait(), 2)), FACE) == [findings.BRIGHT]
    assert findings.BRIGHT in codes(grainy(lit(portrait(), 3)))


def test_bright_wall_behind_a_face_does_not_make_it_bright() -> None:
    photo = Image.new("RGB", (900, 1200), "white")
    photo.paste(grainy(portrait()).crop(FACE), FACE[:2])

    assert codes(photo, FACE) == []


def test_any_picture_can_be_measured() -> None:
    for size in ((1, 1), (1, 1200), (1200, 1), (3, 3)):
        assert codes(Image.new("RGB", size))
