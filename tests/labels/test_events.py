"""The words for events, in both languages."""

from flask import Flask
from flask_babel import force_locale

from hikflask.codes.events import TYPES
from hikflask.labels import events
from hikflask.models import Event
from hikflask.models.event import BREAK_OUT, KINDS
from tests.web.support.test_icons import icons


def event(major: int, minor: int, kind: str, *, is_duress: bool = False) -> Event:
    return Event(major=major, minor=minor, kind=kind, is_duress=is_duress)


def test_sentences_are_short_and_in_both_languages(app: Flask) -> None:
    said = [
        (event(5, 75, "passed"), "Passed by face", "Проход по лицу"),
        (event(5, 76, "unknown_person"), "Face not recognised", "Лицо не распознано"),
        (event(5, 8, "expired"), "Access has expired", "Срок доступа истёк"),
        (event(5, 104, "liveness"), "Not a living face: perhaps a photo", "Лицо не живое: возможно, показали фото"),
        (event(3, 1024, "operation"), "Door opened remotely", "Дверь открыта удалённо"),
        (event(5, 4711, "other"), "Event with the code 5/4711", "Событие с кодом 5/4711"),
        (
            event(5, 1, "passed", is_duress=True),
            "Passed by card, under duress",
            "Проход по карте, под принуждением",
        ),
    ]
    with app.app_context():
        for row, english, russian in said:
            with force_locale("en"):
                assert events.sentence(row) == english
            with force_locale("ru"):
                assert events.sentence(row) == russian


def test_button_that_was_pressed_is_said(app: Flask) -> None:
    with app.app_context():
        row = event(5, 75, "passed")
        row.attendance = BREAK_OUT
        with force_locale("en"):
            assert events.sentence(row) == "Passed by face, button “Break begins”"
        with force_locale("ru"):
            assert events.sentence(row) == "Проход по лицу, кнопка «Начало перерыва»"


def test_each_code_has_a_sentence_in_russian(app: Flask) -> None:
    with app.app_context(), force_locale("ru"):
        for (major, minor), meaning in TYPES.items():
            assert events.sentence(event(major, minor, meaning.kind)) != meaning.text


def test_each_kind_has_its_words_and_an_icon_of_the_set(app: Flask) -> None:
    with app.app_context():
        with force_locale("en"):
            assert events.kind_label("outside_hours") == "Outside hours"
        with force_locale("ru"):
            assert [events.kind_label(kind) for kind in KINDS] == [
                "Проход",
                "Неизвестный человек",
                "Нет права прохода",
                "Вне часов доступа",
                "Срок доступа истёк",
                "Лицо не живое",
                "Отказ",
                "Дверь",
                "Кнопка выхода",
                "Тревога",
                "Неисправность",
                "Действие на терминале",
                "Прочее",
            ]
    assert {events.kind_icon(kind) for kind in KINDS} <= icons()
    assert events.icon(event(5, 75, "passed")) == events.kind_icon("passed")


def test_the_tone_says_who_came_in_who_was_turned_away_and_what_is_wrong() -> None:
    for major, minor, kind, tone in [
        (5, 75, "passed", "good"),
        (5, 76, "unknown_person", "warn"),
        (5, 6, "no_permission", "warn"),
        (5, 104, "liveness", "warn"),
        (5, 113, "refused", "bad"),
        (5, 21, "door", "none"),
        (5, 27, "alarm", "bad"),
        (1, 1034, "alarm", "bad"),
        (1, 1031, "alarm", "none"),
        (2, 1024, "trouble", "warn"),
        (5, 4711, "other", "none"),
    ]:
        assert events.tone(event(major, minor, kind)) == tone
    assert events.tone(event(5, 75, "passed", is_duress=True)) == "bad"
