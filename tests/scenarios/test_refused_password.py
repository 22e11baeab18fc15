"""A terminal that refuses the password: its pages say so, and how many wait for it, and nothing that is not true."""

import re

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.isapi.errors import Unreachable, WrongPassword
from hikflask.models import Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import LoginStopped
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE
from tests.support.desk import ENGLISH, Desk, typed
from tests.support.employees import save_with_file
from tests.support.fleet import BY_PICTURE, bring, device, in_context
from tests.support.wire import InProcess

TERMINAL, QUEUE = "/terminals/2", "/terminals/2/queue"
RUSSIAN = {"Accept-Language": "ru"}


def text(desk: Desk, address: str, headers: dict[str, str]) -> str:
    page = desk.client.get(address, headers=headers).text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>|[\u2066-\u2069]", " ", page.partition("<main")[2]))


@pytest.fixture
def refuses(app: Flask, terminal: Terminal, wire: InProcess) -> Simulated:  # noqa: ARG001
    """A terminal that takes pictures, was away while three were enrolled, and came back with another password."""
    put = device(BY_PICTURE)
    in_context(app, wire, "second.test", "Склад", put)
    wire.away.add("second.test")
    with app.app_context():
        for row, number in enumerate(("1", "2", "3"), 1):
            save_with_file(Draft(number, "Иван Иванов"), 2, FACE)
            with pytest.raises(Unreachable):
                reconcile(row, "test")
        wire.away.clear()
        put.login.password = "Changed99"
        with pytest.raises(WrongPassword):
            reconcile(1, "test")
        with pytest.raises(LoginStopped):
            reconcile(2, "test")
    assert put.wrong_passwords == 1
    return put


@pytest.mark.usefixtures("refuses")
@pytest.mark.both_databases
def test_its_page_and_its_queue_say_that_three_wait_for_the_password(desk: Desk) -> None:
    for address in (TERMINAL, QUEUE):
        english, russian = text(desk, address, ENGLISH), text(desk, address, RUSSIAN)
        assert "The terminal refused the password. We stopped so as not to lock it." in english
        assert "Терминал не принял пароль. Мы остановились, чтобы его не заблокировать." in russian
        assert "3 employees wait." in english
        assert "Ждут 3 сотрудника." in russian
        for untrue in ("does not answer", "Nothing waits", "need a photo taken on it", "by itself", "next try"):
            assert untrue not in english, (address, untrue)
        for untrue in ("не отвечает", "Очередь пуста", "нужно сфотографировать", "Программа сама", "повторит"):
            assert untrue not in russian, (address, untrue)
    assert 'href="/employees/?state=refused&amp;terminal=2"' in desk.client.get(QUEUE).text


@pytest.mark.usefixtures("refuses")
def test_removals_that_wait_for_the_password_are_counted_on_their_own(app: Flask, desk: Desk) -> None:
    with app.app_context():
        set_active(1, False)
        with pytest.raises(LoginStopped):
            reconcile(1, "test")

    page = desk.client.get(TERMINAL, headers=ENGLISH).text

    assert '<a id="queue-stopped" href="/employees/?state=refused&amp;terminal=2">2 employees wait.</a>' in page
    assert '<a id="queue-removals" href="/attention/people?cause=leaving&amp;terminal=2">Removals: 1</a>' in page


@pytest.mark.usefixtures("refuses")
def test_employees_and_start_page_say_the_same(desk: Desk) -> None:
    for number in (1, 3):
        english = text(desk, f"/employees/{number}", ENGLISH)
        assert "The terminal refused the password. We stopped so as not to lock it." in english
        assert "does not answer" not in english
        assert "next try" not in english
    listed = text(desk, "/employees/", ENGLISH)
    assert "Иван Иванов 2 not sent yet : Склад" in listed
    assert listed.count("waiting for the terminal : Склад") == 2
    assert "Иван Иванов 2 ещё не отправлено : Склад" in text(desk, "/employees/", RUSSIAN)
    start = text(desk, "/attention", ENGLISH)
    assert "The terminal refused the password." in start
    assert "does not answer" not in start


def test_queue_goes_on_when_the_password_is_corrected(app: Flask, desk: Desk, refuses: Simulated) -> None:
    with app.app_context():
        assert db.session.get_one(Terminal, 2).offline_since is None
    desk.client.post(
        TERMINAL,
        data={
            "name": "Склад",
            "url": "http://second.test",
            "username": "admin",
            "password": "Changed99",
            "is_active": "y",
        },
    )
    bring(app, desk)

    assert refuses.faces.keys() == {"1", "2", "3"}
    assert "The queue is empty." in text(desk, QUEUE, ENGLISH)


def test_capture_that_only_waits_for_the_password_is_not_asked_for_again(desk: Desk) -> None:
    capture_id = desk.capture()
    desk.client.post("/employees/", data=typed(capture_id=capture_id))
    desk.simulator.before("FDSetUp", lambda: setattr(desk.simulator.login, "password", "Changed99"))
    desk.run_jobs()

    english = text(desk, "/employees/1", ENGLISH)

    assert "The terminal refused the password." in english
    assert "waiting for the terminal : Вход" in text(desk, "/employees/", ENGLISH)
    assert "A photo must be taken at the terminal." not in english
    assert "need a photo taken on it" not in text(desk, "/terminals/1", ENGLISH)
