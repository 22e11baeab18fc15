"""Another device at a terminal's address: said with both serials, and restored by an administrator's word."""

import re

import pytest
from flask import Flask

from hikflask.models.accounts import OPERATOR, VIEWER
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.lifecycle import send_to_terminal
from hikflask.services.employees.save import save_employee
from hikflask.services.terminals import checks
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE
from tests.support.desk import ENGLISH, Desk
from tests.support.employees import save_with_file
from tests.support.filled_forms import Filled, forms
from tests.support.fleet import bring, device, in_context
from tests.support.signed_in import client_of
from tests.support.wire import InProcess

RESTORE = "/terminals/2/restore"
OLD, NEW = "DS-K1T341CMFW20230901V030315ENFH0000000", "DS-K1T341CMFW20230901V030315ENFH0000007"


@pytest.fixture
def new(app: Flask, desk: Desk, wire: InProcess) -> Simulated:
    """The device that took the place of one with a face and a person without one."""
    in_context(app, wire, "second.test", "Склад", device())
    with app.app_context():
        save_with_file(Draft("100222", "Иван Иванов"), 2, FACE)
        send_to_terminal(save_employee(Draft("100333", "Ольга Ёлкина")).row.id, 2)
    bring(app, desk)
    put = device(serial="0000007")
    wire.put("second.test", put)
    with app.app_context():
        checks.check(2, "test")
    return put


def question(page: str) -> Filled:
    """The form that brings the people to the new device."""
    return next(one for one in forms(page) if one.action == RESTORE and "shown" in one.fields)


def plain(page: str) -> str:
    return re.sub("[\u2066-\u2069]|</?bdi>", "", page)


@pytest.mark.usefixtures("new")
def test_page_and_start_page_say_so_with_both_serials(desk: Desk) -> None:
    page = plain(desk.client.get("/terminals/2", headers=ENGLISH).text)
    start = plain(desk.client.get("/attention", headers=ENGLISH).text)

    assert f"serial number {NEW}, before it {OLD}. Nobody is sent to it before an administrator says" in page
    assert f'href="{RESTORE}"' in page
    assert f"Another device answers there: serial number {NEW}, before it {OLD}." in start
    assert f'<a class="btn btn-primary" id="restore-2" href="{RESTORE}">Restore</a>' in start
    assert "not enrolled on" not in start


@pytest.mark.usefixtures("new")
def test_who_is_no_administrator_is_told_who_does_it(app: Flask) -> None:
    for role, name in ((OPERATOR, "Борис"), (VIEWER, "Вера")):
        browser = client_of(app, role, name)
        assert "Это делает администратор." in browser.get("/terminals/2").text
        assert browser.post(RESTORE).status_code == 403


@pytest.mark.usefixtures("new")
def test_employee_waits_with_the_reason(desk: Desk) -> None:
    page = plain(desk.client.get("/employees/1", headers=ENGLISH).text)

    assert (
        "Another device stands at “Склад” now. An administrator says on its page whether its people belong there."
        in page
    )


def test_page_tells_who_comes_by_itself_and_the_button_brings_everybody(desk: Desk, new: Simulated) -> None:
    page = desk.text(RESTORE)
    assert "1 сотрудник будет записан с лицом." in page
    assert "1 сотрудник будет записан без лица и должен подойти к камере." in page
    assert "Ольга Ёлкина" in page
    assert 'href="/terminals/2/round"' in page

    answer = question(page).send(desk.client)
    while desk.run_jobs():
        pass

    assert answer.location == "/jobs/1"
    assert new.people.keys() == {"100222", "100333"}
    assert new.faces.keys() == {"100222"}
    assert "Восстановить на новом терминале" not in desk.text("/terminals/2")
    assert "«Склад»" in plain(desk.text("/jobs/1"))


@pytest.mark.usefixtures("new")
def test_second_click_changes_nothing(desk: Desk) -> None:
    form = question(desk.text(RESTORE))
    form.send(desk.client)

    form.send(desk.client)

    assert "Восстановить на новом терминале" not in desk.text("/terminals/2")
    assert desk.client.get("/jobs/2").status_code == 404


@pytest.mark.usefixtures("new")
@pytest.mark.both_databases
def test_people_are_brought_to_the_device_that_was_shown(app: Flask, desk: Desk, wire: InProcess) -> None:
    form = question(desk.text(RESTORE))
    third = device(serial="0000009")
    wire.put("second.test", third)
    with app.app_context():
        checks.check(2, "test")

    void = form.send(desk.client)
    assert void.location == RESTORE
    page = desk.text(RESTORE)
    assert "С тех пор это изменилось. Ничего не сделано, проверьте ещё раз." in page
    assert "0000009" in page
    assert desk.client.get("/jobs/1").status_code == 404
    question(page).send(desk.client)
    while desk.run_jobs():
        pass
    assert third.people.keys() == {"100222", "100333"}


@pytest.mark.usefixtures("new")
def test_people_of_another_terminal_come_by_a_draft_that_says_what_would_be_done(desk: Desk) -> None:
    page = desk.text("/terminals/1/restore")
    assert '<option value="2">Склад (2)</option>' in page

    draft = desk.client.post("/terminals/1/restore", data={"source": "2"})

    assert draft.location == "/jobs/1"
    shown = desk.text("/jobs/1")
    assert "Лицо из фото не получит никто." in shown
    assert "2 сотрудника должны подойти к камере." in shown
    assert '<input type="hidden" name="terminal_id" value="1">' in shown
    assert desk.simulator.people == {}
    assert desk.client.post("/terminals/1/restore", data={"source": "77"}).status_code == 404
