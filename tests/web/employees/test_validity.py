"""The days of a validity in the employee form and on the employee's page."""

from dataclasses import replace
from html import unescape

from flask import Flask

from hikflask.extensions import db
from hikflask.models import Capture, Employee
from tests.support.desk import ENGLISH, Desk, typed

SPRING = {"valid_from": "2036-03-01", "valid_to": "2036-06-30"}
SHOWN = tuple(f'value="{day}"' for day in SPRING.values())


def save(desk: Desk, **fields: str) -> str:
    answer = desk.client.post("/employees/", data=typed(without_face="1", **fields))
    assert answer.status_code == 303, answer.text
    return answer.location


def test_days_are_saved_and_shown_in_both_languages(desk: Desk) -> None:
    place = save(desk, **SPRING)

    russian, english = desk.text(place), desk.client.get(place, headers=ENGLISH).text
    assert "<dt>Действует с</dt><dd>1 марта 2036" in russian
    assert "<dt>Действует по</dt><dd>30 июня 2036 г. включительно</dd>" in russian
    assert "<dt>Valid from</dt><dd>1 March 2036</dd>" in english
    assert "<dt>Valid to</dt><dd>30 June 2036 inclusive</dd>" in english
    assert all(value in desk.text(f"{place}/edit") for value in SHOWN)


def test_employee_without_limits_has_none_on_the_page(desk: Desk) -> None:
    assert "Действует" not in desk.text(save(desk))


def test_wrong_day_is_said_beside_its_field_and_nothing_is_lost(desk: Desk, app: Flask) -> None:
    for fields, russian, english in [
        (
            {"valid_from": "31.06.2036"},
            "Поле «Действует с»: введите дату, например 2030-12-31.",
            "“Valid from” must be a day such as 2030-12-31.",
        ),
        (
            {"valid_to": "2038-01-01"},
            "Поле «Действует по»: год должен быть от 2000 до 2037, других терминалы не принимают.",
            "“Valid to” must be from 2000 to 2037: terminals take no other years.",
        ),
        (
            {"valid_from": "2036-07-01", "valid_to": "2036-06-30"},
            "Поле «Действует по»: дата не должна быть раньше, чем «Действует с».",
            "“Valid to” must not be before “Valid from”.",
        ),
        (
            {"valid_to": "2020-01-01"},
            "Срок доступа уже закончился. Укажите более поздний последний день или уберите его.",
            "The validity is over. Enter a later last day, or none.",
        ),
    ]:
        form = typed(without_face="1", **fields)
        answer = desk.client.post("/employees/", data=form)
        translated = desk.client.post("/employees/", data=form, headers=ENGLISH)

        assert (answer.status_code, translated.status_code) == (422, 422)
        (field,) = [name for name in fields if f'id="{name}-error"' in answer.text]
        assert russian in answer.text.partition(f'id="{field}-error"')[2].partition("</p>")[0]
        assert english in translated.text.partition(f'id="{field}-error"')[2].partition("</p>")[0]
        assert all(f'value="{value}"' in answer.text for value in (*fields.values(), "Иван Иванов"))
        with app.app_context():
            assert db.session.execute(db.select(Employee)).all() == []


def test_days_travel_with_a_capture(desk: Desk, app: Flask) -> None:
    capture_id = desk.capture(**SPRING)

    page = desk.text(f"/employees/new?capture={capture_id}")

    assert all(value in page for value in SHOWN)
    with app.app_context():
        capture = db.session.get_one(Capture, int(capture_id))
        assert (capture.draft_valid_from, capture.draft_valid_to) == ("2036-03-01", "2036-06-30")
    desk.client.post("/captures/draft", data=typed(waiting_id=capture_id, capture_id=capture_id, valid_to="2036-07-31"))
    assert 'value="2036-07-31"' in desk.text(f"/employees/new?capture={capture_id}")


def test_days_that_the_terminal_does_not_show_are_not_confirmed(desk: Desk) -> None:
    desk.simulator.profile = replace(desk.simulator.profile, not_in_search=frozenset({"Valid"}))
    place = desk.save(**SPRING)

    russian = "Терминал не показывает срок доступа, подтвердить его нельзя. Проверьте срок на самом терминале."
    english = "The terminal does not show the validity, so it cannot be confirmed. Check it at the terminal itself."
    assert russian in desk.text(place)
    assert english in unescape(desk.client.get(place, headers=ENGLISH).text)
    assert 'data-state="confirmed"' not in desk.text(place)
