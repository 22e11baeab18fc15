"""Trying an enrolment again: the row says that it is tried, then what came of it, and when."""

import re
from datetime import UTC, datetime
from html import unescape

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.models.accounts import OPERATOR
from tests.support.captures import OTHER_FACE
from tests.support.desk import ENGLISH, HTMX, JUST_NOW, Desk, typed
from tests.support.signed_in import client_of

LATER = datetime(2099, 11, 25, 11, 25, tzinfo=UTC)
TRIED = rf"Попытка {JUST_NOW}: «Вход» не отвечает по адресу http://terminal\.test\. Проверьте питание и сеть\."


def away(app: Flask) -> set[str]:
    """The terminals that do not answer."""
    return app.extensions["terminal_transport"].away  # type: ignore[no-any-return]


@pytest.fixture
def waiting(desk: Desk, app: Flask) -> str:
    """The address of an employee whose terminal went away after the capture."""
    capture_id = desk.capture()
    away(app).add("terminal.test")
    form = {"hikvision_id": "100222", "full_name": "Иван Иванов", "capture_id": capture_id}
    place = desk.client.post("/employees/", data=form).location
    desk.run_jobs()
    return place


def row(page: str) -> str:
    return unescape(page).partition('<tr id="enrolment-')[2].partition("</tr>")[0]


def test_row_says_that_it_is_tried_and_then_what_came_of_it(desk: Desk, waiting: str) -> None:
    assert 'data-says="Вход: ожидание терминала"' in row(desk.text(waiting))

    begun = desk.client.post("/enrolments/1/retry", headers=HTMX).text
    assert begun.startswith('<section id="enrolments"')
    assert 'hx-trigger="every 1s"' in begun
    assert 'data-says="Вход: выполняется"' in begun
    assert re.search(r'<button [^>]*id="retry-1"[^>]* aria-disabled="true">.*Идёт попытка…', begun)

    desk.run_jobs()
    ended = row(desk.client.get("/employees/1/enrolments", headers=HTMX).text)
    assert re.search(TRIED, ended)
    assert 'data-says="Вход: ожидание терминала"' in ended


def test_nothing_is_said_to_be_sent_to_a_terminal_that_is_known_to_be_off(desk: Desk, app: Flask, waiting: str) -> None:
    with app.app_context():
        db.session.execute(db.update(Terminal).values(backoff_until=LATER))
        db.session.commit()
    desk.client.post("/employees/1", data={"hikvision_id": "100222", "full_name": "Иван Петров", "moved": "1"})

    pages = desk.text(waiting), desk.client.get(waiting, headers=ENGLISH).text
    russian, english = (" ".join(re.sub(r"<[^>]*>", "", row(page)).split()) for page in pages)
    assert "«Вход» не отвечает. Программа повторит попытку 25 ноября 2099 г. в 11:25. Данные сохранены." in russian
    assert "“Вход” does not answer. The next try is on 25 November 2099 at 11:25. Nothing is lost." in english


def test_row_is_green_when_the_terminal_is_back(desk: Desk, app: Flask, waiting: str) -> None:
    away(app).clear()
    desk.client.post("/enrolments/1/retry", headers=HTMX)
    desk.run_jobs()

    ended = row(desk.text(waiting))
    assert re.search(r'data-says="Есть на терминале «Вход»: сотрудник и лицо\. Проверено в \d\d:\d\d\."', ended)
    assert "Попытка" not in ended


def test_without_javascript_the_page_says_it_and_loads_itself_again(desk: Desk, waiting: str) -> None:
    assert desk.client.post("/enrolments/1/retry").location == waiting

    page = desk.text(waiting)
    assert "Новая попытка началась. Результат появится ниже." in page
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page
    desk.client.post("/enrolments/1/retry", headers=ENGLISH)
    assert "It is tried again. The result appears below." in desk.client.get(waiting, headers=ENGLISH).text


def test_refusal_says_when_it_came(desk: Desk) -> None:
    desk.simulator.faults.add("ok-without-effect", path="FDLib/FDSetUp")
    place = desk.save()
    desk.client.post("/enrolments/1/retry", headers=HTMX)
    desk.run_jobs()

    assert re.search(rf"Последняя попытка {JUST_NOW}\.", row(desk.text(place)))


def test_removal_is_tried_in_its_row(desk: Desk, app: Flask) -> None:
    place = desk.save()
    away(app).add("terminal.test")
    desk.client.post(f"{place}/delete")
    desk.run_jobs()

    begun = desk.client.post("/enrolments/1/retry", data={"next": "/removals/"}, headers=HTMX).text
    assert begun.startswith('<section id="removals"')
    assert 'data-says="Иван Иванов: выполняется"' in begun
    assert "Идёт попытка…" in begun

    desk.run_jobs()
    ended = desk.client.get("/removals/state", headers=HTMX).text
    assert 'data-says="Иван Иванов: ещё может открыть двери"' in ended
    assert re.search(TRIED, unescape(ended))

    away(app).clear()
    without_javascript = desk.client.post("/enrolments/1/retry", data={"next": "/removals/"})
    desk.run_jobs()
    settled = desk.client.get("/removals/state", headers=HTMX).text
    assert without_javascript.location == "/removals/"
    assert desk.simulator.people == {}
    assert 'data-says="Таких нет: все удаления подтверждены"' in settled
    assert "hx-get" not in settled.partition(">")[0]


@pytest.fixture
def refused(desk: Desk, app: Flask) -> str:
    """The address of an employee whose terminal refused the password."""
    capture_id = desk.capture()
    desk.simulator.login.password = "Other12345"
    form = {"hikvision_id": "100222", "full_name": "Иван Иванов", "capture_id": capture_id}
    place = desk.client.post("/employees/", data=form).location
    desk.run_jobs()
    with app.app_context():
        assert db.session.get_one(Terminal, 1).refused_since
    return place


def test_refused_password_leads_to_where_it_is_corrected(desk: Desk, app: Flask, refused: str) -> None:
    operator = client_of(app, OPERATOR)
    link = 'href="/terminals/1/edit?focus=password">'

    for address in (refused, "/terminals/1"):
        page = desk.text(address)
        assert link in page
        assert "Исправить пароль" in page
        told = operator.get(address).text
        assert link not in told
        assert "Исправить может администратор." in told
    assert "/enrolments/1/retry" not in desk.text(refused)


def test_open_removal_leads_to_where_the_password_is_corrected(desk: Desk) -> None:
    place = desk.save()
    desk.simulator.login.password = "Other12345"
    desk.client.post(f"{place}/delete")
    desk.run_jobs()

    page = desk.text("/removals/")
    assert "Исправить пароль" in page
    assert "/enrolments/1/retry" not in page


def test_refused_photo_beside_an_old_face_says_that_the_old_one_opens_doors(desk: Desk) -> None:
    place = desk.save()
    desk.simulator.faults.add("refuse", path="FDSetUp", argument="SubpicAnalysisModelingError")
    captured = desk.capture(OTHER_FACE, employee_id="1")
    desk.client.post(place, data=typed(capture_id=captured, employee_id="1"))
    desk.run_jobs()

    pages = desk.text(place), desk.client.get(place, headers=ENGLISH).text
    russian, english = (re.sub("[\u2066-\u2069]", "", row(page)) for page in pages)

    assert "прежнее лицо на терминале" in russian
    assert "На терминале «Вход» ещё прежнее лицо, и оно открывает двери. Нового фото там нет: " in russian
    assert "old face on the terminal" in english
    assert "The old face is still on “Вход” and opens doors. The new photo is not there: " in english
    assert "нет лица" not in russian
    assert "прежнее лицо на терминале" in desk.text("/employees/")
