"""Taking a terminal out of service for good, by an administrator's word."""

import re

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Erasure, Terminal
from hikflask.services.enrolments import retire_terminal
from hikflask.services.state import enrolment as state
from tests.support.desk import ENGLISH, ON_PAPER, Desk
from tests.support.filled_forms import Filled, form_to
from tests.support.signed_in import OPERATOR_PASSWORD, client_of

RETIRE = "/terminals/1/retire"
NOTE = {"note": "украден, заявление в полиции"}


def question(desk: Desk) -> Filled:
    """The form that asks what became of it."""
    return form_to(desk.text(RETIRE), RETIRE)


@pytest.fixture
def stolen(desk: Desk, app: Flask) -> str:
    """The address of an erasure that waits for a terminal which never answers again."""
    place = desk.save()
    app.extensions["terminal_transport"].away.add("terminal.test")
    location: str = desk.client.post(f"{place}/erase").location
    desk.run_jobs()
    return location


@pytest.mark.usefixtures("stolen")
def test_question_says_what_it_means(desk: Desk) -> None:
    assert RETIRE in desk.text("/terminals/1")

    page = desk.text(RETIRE)

    assert "На нём записаны или могут быть записаны люди: 1." in page
    assert "Если устройство снова поставят, оставшиеся на нём люди смогут открыть дверь." in page
    assert 'name="note"' in page


def test_what_became_of_it_must_be_said(desk: Desk, stolen: str) -> None:
    answer = question(desk).send(desk.client, note="  ")

    assert answer.status_code == 422
    assert "Поле «Что произошло» не должно быть пустым." in answer.text
    assert "Доступ ещё не снят: «Вход»" in desk.text(stolen)


@pytest.mark.both_databases
def test_device_or_people_that_were_not_shown_stay(desk: Desk, app: Flask) -> None:
    desk.save()
    for change in ({"serial": "another device"}, {"url": "http://elsewhere.test"}):
        asked = question(desk)
        with app.app_context():
            db.session.execute(db.update(Terminal).values(**change))
            db.session.commit()
        void = asked.send(desk.client, ENGLISH, **NOTE)
        assert void.status_code == 409
        assert "This has changed since it was shown. Nothing is done: check it again." in void.text
        assert form_to(void.text, RETIRE).fields["note"] == NOTE["note"]

    asked = question(desk)
    with app.app_context():
        state.create_for(1, "100333")
        db.session.commit()
    assert "С тех пор это изменилось. Ничего не сделано, проверьте ещё раз." in asked.send(desk.client, **NOTE).text
    with app.app_context():
        assert db.session.get_one(Terminal, 1).retired_at is None


def test_alarm_ends_and_the_certificate_shows_whose_word_it_is(desk: Desk, stolen: str, app: Flask) -> None:
    answer = question(desk).send(desk.client, **NOTE)

    assert answer.location == "/terminals/1"
    assert "Таких нет: все удаления подтверждены" in desk.text("/removals/")
    page = desk.client.get(stolen, headers=ENGLISH).text
    assert re.search(f"out of service for good, as Анна stated {ON_PAPER}: “{NOTE['note']}”\\.", page)
    assert "the terminal confirmed" not in page
    with app.app_context():
        assert db.session.query(Erasure).one().completed_at is not None


def test_page_that_waited_does_not_say_that_the_terminal_confirmed(desk: Desk, stolen: str) -> None:
    question(desk).send(desk.client, **NOTE)

    page = desk.client.get(f"{stolen}/state", headers=ENGLISH).text

    assert "The erasure is complete: the certificate shows what a terminal confirmed" in page
    assert "every terminal has confirmed it" not in page


@pytest.mark.usefixtures("stolen")
def test_terminal_says_so_is_not_offered_and_can_be_deleted(desk: Desk) -> None:
    question(desk).send(desk.client, **NOTE)

    page = desk.text("/terminals/1")
    assert "выведен из эксплуатации" in page
    assert NOTE["note"] in page
    assert "оставшиеся на нём люди смогут открыть дверь" in page
    assert "/terminals/1/check" not in page
    assert "выведен из эксплуатации" in desk.text("/terminals/")
    assert "Вход" not in desk.text("/employees/new")
    assert desk.client.post("/terminals/1/delete").location == "/terminals/"


def test_employee_is_not_green_there_any_more(desk: Desk) -> None:
    place = desk.save()

    question(desk).send(desk.client, **NOTE)

    page = desk.text(place)
    assert "Есть на терминале" not in page
    assert "со слов администратора (Анна" in page
    assert f"«{NOTE['note']}»" in page


def test_check_of_it_says_why_nothing_is_sent(desk: Desk) -> None:
    question(desk).send(desk.client, **NOTE)
    desk.simulator.log.clear()

    page = desk.client.post("/terminals/1/check", follow_redirects=True).text
    status = desk.client.get("/api/devices/1/status")
    capture = desk.client.post("/api/devices/1/start-face-capture")

    assert "выведен из эксплуатации: программа больше ничего ему не отправляет" in page
    assert (status.status_code, capture.status_code) == (200, 422)
    assert desk.simulator.log == []


def test_page_of_a_delete_that_is_refused_shows_the_way(desk: Desk) -> None:
    desk.save()

    answer = desk.client.post("/terminals/1/delete")

    assert answer.status_code == 409
    assert "На этом терминале записаны люди." in answer.text
    assert RETIRE in answer.text


@pytest.mark.usefixtures("terminal")
def test_what_was_typed_goes_on_with_the_password_that_was_asked_for(app: Flask) -> None:
    browser = client_of(app, confirmed=False)

    with app.app_context():
        shown = retire_terminal.digest(db.session.query(Terminal).one())
    asked = browser.post(RETIRE, data={**NOTE, "shown": shown})
    with app.app_context():
        before = db.session.query(Terminal).one().retired_at
    form_to(asked.text, RETIRE).send(browser, own_password=OPERATOR_PASSWORD)

    assert NOTE["note"] in asked.text
    assert before is None
    with app.app_context():
        assert db.session.query(Terminal).one().retired_note == NOTE["note"]
