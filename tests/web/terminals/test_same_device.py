"""One device under two terminals is put right by one click."""

import re

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.models.accounts import OPERATOR
from hikflask.services.captures.drafts import Draft
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, OTHER_FACE
from tests.support.desk import ENGLISH, Desk
from tests.support.employees import save_with_file
from tests.support.filled_forms import form_to
from tests.support.fleet import bring, device, in_context
from tests.support.signed_in import client_of
from tests.support.wire import InProcess


@pytest.fixture
def moved(app: Flask, desk: Desk, wire: InProcess) -> Simulated:
    """A device with a face on it, as terminal 2, that was moved to the address of terminal 3."""
    put = device()
    in_context(app, wire, "old.test", "Склад", put)
    with app.app_context():
        save_with_file(Draft("100222", "Иван Иванов"), 2, FACE)
    bring(app, desk)
    wire.away.add("old.test")
    in_context(app, wire, "new.test", "Новый", put)
    return put


def put_right(desk: Desk, address: str) -> TestResponse:
    """Press the button of the question."""
    return form_to(desk.text(address), address).send(desk.client)


def plain(page: str) -> str:
    return re.sub("[\u2066-\u2069]|</?bdi>", "", page)


@pytest.mark.usefixtures("moved")
def test_it_is_said_and_one_click_gives_the_old_terminal_the_new_address(desk: Desk) -> None:
    page = plain(desk.client.get("/terminals/3", headers=ENGLISH).text)
    assert "This is the device of “Склад”: both have the serial number DS-K1T341CMFW" in page
    assert 'href="/terminals/3/same-device"' in page
    assert "Дать терминалу «Склад» новый адрес" in plain(desk.text("/terminals/3/same-device"))

    answer = put_right(desk, "/terminals/3/same-device")
    desk.run_jobs()

    assert answer.location == "/terminals/2"
    page = desk.text("/terminals/2")
    assert "http://new.test" in page
    assert "same-device" not in page
    assert desk.client.get("/terminals/3").status_code == 404
    assert "Есть на терминале «Склад»" in desk.text("/employees/1")


@pytest.mark.usefixtures("moved")
def test_page_of_the_old_terminal_offers_the_same(desk: Desk) -> None:
    assert "Дать терминалу «Склад» новый адрес" in plain(desk.text("/terminals/2/same-device"))

    put_right(desk, "/terminals/2/same-device")

    assert "http://new.test" in desk.text("/terminals/2")
    assert desk.client.get("/terminals/3").status_code == 404


@pytest.mark.usefixtures("moved")
def test_addresses_that_were_not_shown_stay(app: Flask, desk: Desk) -> None:
    question = "/terminals/3/same-device"
    form = form_to(desk.text(question), question)
    with app.app_context():
        db.session.execute(db.update(Terminal).where(Terminal.id == 3).values(url="http://newer.test"))
        db.session.commit()

    void = form.send(desk.client)

    assert void.location == question
    assert "С тех пор это изменилось. Ничего не сделано, проверьте ещё раз." in desk.text(question)
    assert "http://old.test" in desk.text("/terminals/2")


def test_both_with_people_are_only_warned_about(app: Flask, desk: Desk, moved: Simulated) -> None:
    with app.app_context():
        save_with_file(Draft("100333", "Ольга"), 3, OTHER_FACE)

    page = desk.text("/terminals/3/same-device")
    answer = desk.client.post("/terminals/3/same-device", follow_redirects=True)

    assert "На обоих есть люди" in page
    assert 'id="put-right"' not in page
    assert "http://old.test" in desk.text("/terminals/2")
    assert answer.status_code == 200
    assert moved.people.keys() == {"100222"}


def test_swapped_devices_get_their_addresses_back(app: Flask, desk: Desk, wire: InProcess) -> None:
    first, second = device(), device(serial="0000007")
    for number, (host, name, put) in enumerate((("a.test", "Склад", first), ("b.test", "Ворота", second)), 2):
        in_context(app, wire, host, name, put)
        with app.app_context():
            save_with_file(Draft(f"N{number}", f"Иван {number}"), number, FACE)
    bring(app, desk)
    wire.put("a.test", second)
    wire.put("b.test", first)
    desk.client.post("/terminals/2/check")
    while desk.run_jobs():
        pass

    page = plain(desk.text("/terminals/2/same-device"))
    put_right(desk, "/terminals/2/same-device")
    bring(app, desk)

    assert "Устройства «Склад» и «Ворота» поменяли местами" in page
    assert "http://b.test" in desk.text("/terminals/2")
    assert "http://a.test" in desk.text("/terminals/3")
    assert "Восстановить на новом терминале" not in desk.text("/terminals/2")


@pytest.mark.usefixtures("moved")
def test_nobody_else_may_and_a_terminal_of_its_own_has_no_such_page(app: Flask, desk: Desk) -> None:
    boris = client_of(app, OPERATOR, "Борис")

    assert boris.post("/terminals/3/same-device").status_code == 403
    assert desk.client.get("/terminals/1/same-device").location == "/terminals/1"
    answer = desk.client.post("/terminals/1/same-device", follow_redirects=True)
    assert "Такого терминала нет" in answer.text
