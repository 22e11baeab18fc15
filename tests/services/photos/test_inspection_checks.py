"""What is wrong with a photo: its face, size, sharpness and light; said in both languages, to the letter."""

from collections.abc import Sequence
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from PIL import Image

from hikflask import messages
from hikflask.services.photos import inspection_checks as findings
from hikflask.services.photos.face_detector import Face
from hikflask.services.photos.inspection_checks import Finding, check_faces, check_picture, frame
from tests.support.drawn_faces import DARK, FAIR, RED_HAIRED, blurred, grainy, lit, portrait

SENTENCES: dict[str, tuple[dict[str, Any], str, str]] = {
    findings.NO_FACE: (
        {},
        "На фото нет лица. Нужно фото анфас.",
        "There is no face in the photo. It must show the face from the front.",
    ),
    findings.SEVERAL_FACES: (
        {"count": 2},
        "Лиц на фото: 2. Нужен один человек.",
        "There are 2 faces in the photo. One person, please.",
    ),
    findings.FACE_SMALL: (
        {"px": 66, "least": 120},
        "Лицо слишком мелкое: ширина около 66 пикселей, а терминалам нужно 120.",
        "The face is too small: about 66 pixels wide, and terminals need 120.",
    ),
    findings.TURNED: (
        {"degrees": 270},
        "Фото повёрнуто. Поверните его на 270° по часовой стрелке.",
        "The photo is turned. Turn it by 270° clockwise.",
    ),
    findings.MARGIN: (
        {},
        "Лицо должно быть в середине фото, а вокруг него — немного места.",
        "The face must be in the middle of the photo, with some room around it.",
    ),
    findings.SMALL: (
        {"width": 270, "height": 360, "least": 400},
        "Фото слишком маленькое: 270 × 360 пикселей. Длинной стороне нужно не меньше 400.",
        "The photo is too small: 270 × 360 pixels. The longer side needs at least 400.",
    ),
    findings.BLURRED: (
        {},
        "Фото нерезкое. Сделайте его ещё раз, не двигаясь, или выберите другое.",
        "The photo is not sharp. Take it again with a steady hand, or choose another one.",
    ),
    findings.DARK: (
        {},
        "Фото слишком тёмное. Лицу нужно больше света.",
        "The photo is too dark. The face needs more light.",
    ),
    findings.BRIGHT: (
        {},
        "Фото слишком светлое. Лицу нужен более мягкий свет.",
        "The photo is too bright. The face needs softer light.",
    ),
}


UNCHECKED = (
    "Лицо на фото не искали: поиск лиц здесь не включён. Проверены только размер, резкость и свет.",
    "The face was not looked for: face detection is not set up here. Only size, sharpness and light are known.",
)


def test_that_no_face_was_looked_for_is_said_in_both_languages(app: Flask) -> None:
    with app.test_request_context(), force_locale("ru"):
        assert (messages.sentence("photo_face_unchecked"), messages.english("photo_face_unchecked")) == UNCHECKED


def test_finding_comes_back_from_json_as_it_was() -> None:
    found = Finding(findings.TURNED, {"degrees": 90}, findings.TURN, serious=True)

    assert Finding(**vars(found)) == found


def test_every_finding_has_its_sentence() -> None:
    assert set(SENTENCES) == set(findings.CODES)


@pytest.mark.parametrize("code", SENTENCES)
def test_finding_is_said_in_both_languages(app: Flask, code: str) -> None:
    params, russian, english = SENTENCES[code]

    with app.test_request_context(), force_locale("ru"):
        assert messages.sentence(code, **params) == russian
        assert messages.english(code, **params) == english


# --- the face ---

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
    assert ((left + right) / 2, top) == (450, 570 - 400 * findings.FACE_FROM_TOP)


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


# --- size, sharpness and light ---

# Where portrait() draws the face.
FACE_BOX = (220, 370, 680, 830)


def codes(photo: Image.Image, face: tuple[int, int, int, int] | None = None) -> Sequence[str]:
    return [one.code for one in check_picture(photo, face)]


def test_good_photo_has_no_findings_whoever_is_in_it() -> None:
    for person in (FAIR, DARK, RED_HAIRED):
        photo = grainy(portrait(person=person))
        assert codes(photo) == codes(photo, FACE_BOX) == []


def test_small_photo_is_found_with_its_size() -> None:
    (found,) = check_picture(grainy(portrait((270, 360))))

    assert found.code == findings.SMALL
    assert found.params == {"width": 270, "height": 360, "least": 400}
    assert found.serious
    assert codes(grainy(portrait((300, 400)))) == []


def test_photo_out_of_focus_is_blurred() -> None:
    for radius in (8, 12, 30):
        photo = grainy(blurred(portrait(), radius), 1)
        assert codes(photo, FACE_BOX) == [findings.BLURRED], radius
        # What is dark is not sharper or less sharp for that, and neither is what is grainy.
        assert codes(grainy(lit(photo, 0.7), 4), FACE_BOX) == [findings.BLURRED], radius
    assert codes(grainy(blurred(portrait(), 30), 1)) == [findings.BLURRED]


def test_large_photo_may_be_softer_than_a_small_one() -> None:
    assert codes(blurred(portrait(), 3), FACE_BOX) == []
    assert findings.BLURRED in codes(blurred(portrait((300, 400)), 3))


def test_photo_without_light_is_dark() -> None:
    for person in (FAIR, DARK):
        assert codes(grainy(lit(portrait(person=person), 0.2)), FACE_BOX) == [findings.DARK]
    assert codes(lit(portrait(person=DARK), 0.6), FACE_BOX) == []


def test_photo_with_too_much_light_is_bright() -> None:
    assert codes(grainy(lit(portrait(), 2)), FACE_BOX) == [findings.BRIGHT]
    assert findings.BRIGHT in codes(grainy(lit(portrait(), 3)))


def test_bright_wall_behind_a_face_does_not_make_it_bright() -> None:
    photo = Image.new("RGB", (900, 1200), "white")
    photo.paste(grainy(portrait()).crop(FACE_BOX), FACE_BOX[:2])

    assert codes(photo, FACE_BOX) == []


def test_any_picture_can_be_measured() -> None:
    for size in ((1, 1), (1, 1200), (1200, 1), (3, 3)):
        assert codes(Image.new("RGB", size))
