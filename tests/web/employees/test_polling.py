"""Polled pages: they update themselves, and never contradict themselves."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Heartbeat, Terminal
from hikflask.models.columns import database_now
from hikflask.simulator import Terminal as Simulated
from tests.conftest import PASSWORD
from tests.support.desk import HTMX, Desk
from tests.web.terminals.test_terminals import typed as typed_terminal

ASKS = 'hx-get="/terminals/1/state" hx-trigger="every 1s"'


def change(desk: Desk, **changed: str) -> str:
    """Save the terminal's form and return its page as it is before the check."""
    data = typed_terminal(name="Вход", url="http://terminal.test", **changed)
    return desk.text(desk.client.post("/terminals/1", data=data).location)


def polled(desk: Desk, address: str = "/terminals/1/state") -> str:
    return desk.client.get(address, headers=HTMX).text


@pytest.mark.usefixtures("worker_alive")
def test_added_terminal_is_being_checked_until_it_is(
    client: FlaskClient, simulator: Simulated, run_jobs: Callable[[], int]
) -> None:
    place = client.post("/terminals/", data=typed_terminal(url="http://terminal.test", password=PASSWORD)).location
    before = client.get(place).text
    run_jobs()
    after = client.get(f"{place}/state", headers=HTMX).text

    assert "Идёт проверка…" in before
    assert ASKS in before
    assert "ещё не проверен" not in before
    assert '<noscript><meta http-equiv="refresh" content="2">' in before
    assert after.lstrip().startswith('<section class="terminal-main" id="terminal">')
    assert "<html" not in after
    assert "на связи</span>" in after
    assert "Идёт проверка…" not in after
    assert simulator.wrong_passwords == 0


def test_wrong_password_takes_the_old_answers_away_at_once(desk: Desk) -> None:
    before = change(desk, password="Wrong123")
    desk.run_jobs()
    after = polled(desk)

    assert "на связи</span>" not in before
    assert "да</span>" not in before
    assert "Терминал не принял пароль." in after
    assert "на связи</span>" not in after
    assert ASKS not in after


def test_right_password_takes_the_refusal_away_at_once(desk: Desk) -> None:
    change(desk, password="Wrong123")
    desk.run_jobs()
    before = change(desk, password=PASSWORD)
    desk.run_jobs()

    assert "Терминал не принял пароль." not in before
    assert "Идёт проверка…" in before
    assert "на связи</span>" in polled(desk)


def test_check_that_nobody_makes_is_not_waited_for(desk: Desk, app: Flask) -> None:
    with app.app_context():
        db.session.execute(db.delete(Heartbeat))
        db.session.commit()

    page = change(desk, password=PASSWORD)

    assert "Идёт проверка…" not in page
    assert "ещё не проверен" in page


def test_page_stops_waiting_for_a_check_that_was_lost(desk: Desk, app: Flask) -> None:
    change(desk, password=PASSWORD)
    with app.app_context():
        db.session.execute(db.update(Terminal).values(check_until=database_now(-1)))
        db.session.commit()

    assert ASKS not in polled(desk)


def test_check_by_the_button_says_that_all_is_well(desk: Desk) -> None:
    page = desk.text(desk.client.post("/terminals/1/check").location)

    assert "Проверено: «Вход» отвечает и принимает пароль." in page


def test_check_by_the_button_says_something_about_a_terminal_that_is_still_away(desk: Desk, app: Flask) -> None:
    app.extensions["terminal_transport"].away.add("terminal.test")
    desk.client.post("/terminals/1/check")

    page = desk.text(desk.client.post("/terminals/1/check").location)

    assert "Проверка не пройдена, причина ниже." in page
    assert page.count("«Вход» не отвечает по адресу") == 1


def test_check_of_a_terminal_that_refused_the_password_says_that_nothing_was_sent(desk: Desk) -> None:
    desk.simulator.login.password = "Changed99"
    desk.client.post("/terminals/1/check", follow_redirects=True)
    desk.simulator.log.clear()

    page = desk.text(desk.client.post("/terminals/1/check").location)

    assert "Терминал не опрошен: причина ниже." in page
    assert list(desk.simulator.log) == []


def test_terminal_that_never_answered_has_no_successful_check(client: FlaskClient, run_jobs: Callable[[], int]) -> None:
    place = client.post("/terminals/", data=typed_terminal()).location
    run_jobs()
    page = client.get(place).text

    assert "не отвечает</span>" in page
    assert "<dt>Последняя удачная проверка</dt><dd>ещё не было</dd>" in page
    assert "ещё не проверен" not in page


def test_alarm_of_the_bar_comes_with_the_lines_and_goes_with_them(desk: Desk) -> None:
    place = desk.save()
    desk.client.post(f"{place}/active", data={"active": "0"})
    while_open = polled(desk, f"{place}/enrolments")
    desk.run_jobs()
    settled = polled(desk, f"{place}/enrolments")

    assert 'id="alarm"' in while_open
    assert 'hx-swap-oob="outerMorph"' in while_open
    assert "Ещё может открыть двери: 1" in while_open
    assert 'data-state="removed"' in settled
    assert "Ещё может открыть двери" not in settled
    assert ' hidden hx-swap-oob="outerMorph"' in settled
    assert "hx-swap-oob" not in desk.text(place)


def test_open_erasure_says_by_itself_that_it_is_complete(desk: Desk) -> None:
    place = desk.save()
    erasure = desk.client.post(f"{place}/erase").location
    before = desk.text(erasure)
    desk.run_jobs()
    after = polled(desk, f"{erasure}/state")

    assert f'hx-get="{erasure}/state" hx-trigger="every 1s"' in before
    assert after.lstrip().startswith('<section id="erasure">')
    assert "Удаление данных завершено" in after
    assert f'href="{erasure}">Открыть акт</a>' in after
    assert "hx-trigger" not in after


def test_erasure_that_waits_leads_its_buttons_back_to_its_page(desk: Desk, app: Flask) -> None:
    place = desk.save()
    app.extensions["terminal_transport"].away.add("terminal.test")
    erasure = desk.client.post(f"{place}/erase").location
    desk.run_jobs()

    assert f'name="next" value="{erasure}"' in polled(desk, f"{erasure}/state")
