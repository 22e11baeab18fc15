"""What is found in a photo travels as JSON, and is said in both languages, to the letter."""

from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale

from hikflask import messages
from hikflask.services.photos import findings
from hikflask.services.photos.findings import Finding

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
