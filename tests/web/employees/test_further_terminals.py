"""Every terminal on the page of an employee: sent to by one click, or captured at, where only that brings a face."""

import re

import pytest
from flask import Flask

from hikflask.models import Terminal
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SkippingClock
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import profile_named
from tests.conftest import PASSWORD
from tests.support.captures import FACE
from tests.support.desk import HTMX, Desk
from tests.support.employees import save_with_file
from tests.support.filled_forms import form_to
from tests.support.wire import InProcess


@pytest.fixture
def second(app: Flask, wire: InProcess) -> Simulated:
    """A terminal that takes pictures."""
    simulated = Simulated(PASSWORD, clock=SkippingClock(), profile=profile_named("K1T341CMFW"))
    wire.put("second.test", simulated)
    with app.app_context():
        row: Terminal = registry.add(Access("Склад", "http://second.test", "admin", PASSWORD))
        checks.check(row.id, "test")
    return simulated


def plain(page: str) -> str:
    """The words of a page, without what isolates names from the text around them."""
    return " ".join(re.sub("[\u2066-\u2069]|<[^>]*>", "", page).split())


def test_captured_photo_is_sent_to_a_terminal_that_takes_pictures(desk: Desk, second: Simulated) -> None:
    employee = desk.save(terminal_id="1")
    assert "Записать туда" in desk.text(employee)

    desk.client.post(f"{employee}/terminals", data={"terminal_id": "2"})
    desk.run_jobs()

    assert second.faces["100222"].jpeg == FACE
    assert "Есть на терминале «Склад»" in desk.text(employee)
    assert "Записать туда" not in desk.text(employee)


def test_terminal_by_url_needs_its_own_capture_which_begins_by_one_click(
    app: Flask, desk: Desk, wire: InProcess
) -> None:
    third = Simulated(PASSWORD, clock=SkippingClock(), profile=desk.simulator.profile)
    wire.put("third.test", third)
    with app.app_context():
        checks.check(registry.add(Access("Ворота", "http://third.test", "admin", PASSWORD)).id, "test")
    employee = desk.save(terminal_id="1")
    page = desk.text(employee)
    assert "Ворота не записан на этот терминал" in plain(page)
    assert form_to(page, f"{employee}/terminals")

    desk.client.post(f"{employee}/terminals", data={"terminal_id": "2"})
    desk.run_jobs()

    page = desk.text(employee)
    assert "Нужно фото на терминале." in page
    assert '<a id="round-2" href="/terminals/2/round">Кого ещё нужно на нём сфотографировать</a>' in page
    started = form_to(page.partition('id="enrolments"')[2], "/captures/of/1").send(desk.client, terminal_id="2")
    assert started.location == "/employees/1/edit?capture=2"
    third.present_alone(FACE)
    desk.run_jobs()
    form_to(desk.text(started.location), employee).send(desk.client)
    desk.run_jobs()
    assert third.faces["100222"].jpeg == FACE
    assert "Нужно фото на терминале." not in desk.text(employee)


def test_file_that_a_terminal_does_not_take_is_said_once(desk: Desk) -> None:
    with desk.client.application.app_context():
        save_with_file(terminal_id=desk.terminal.id)
        reconcile(1, "test")

    page = plain(desk.text("/employees/1"))

    warning = "Фото останется только на сервере: терминал «Вход» не принимает файлы."
    assert f"нет фото на терминале {warning} Чтобы терминал узнавал сотрудника" in page
    assert "сфотографируйте его на терминале. Кого ещё нужно на нём сфотографировать" in page


def test_polled_part_has_every_terminal_too(desk: Desk, second: Simulated) -> None:  # noqa: ARG001
    employee = desk.save(terminal_id="1")

    part = desk.client.get(f"{employee}/enrolments", headers=HTMX).text

    assert "Склад не записан на этот терминал" in plain(part)
    assert "Есть на терминале «Вход»" in part


def test_nothing_is_offered_for_who_left(desk: Desk, second: Simulated) -> None:  # noqa: ARG001
    employee = desk.save(terminal_id="1")

    desk.client.post(f"{employee}/active", data={"active": "0"})

    assert "не записан на этот терминал" not in desk.text(employee)


def test_unknown_terminal_is_refused_with_a_sentence(desk: Desk) -> None:
    employee = desk.save()

    answer = desk.client.post(f"{employee}/terminals", data={"terminal_id": "77"}, follow_redirects=True)

    assert "Такого терминала нет" in answer.text
    assert desk.simulator.faces["100222"].jpeg == FACE
