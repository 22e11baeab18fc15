"""A terminal that is in use again gets those whom groups ask for there, or is not in use again."""

import dataclasses
from collections.abc import Callable

import pytest
from flask import Flask

from hikflask.models import Terminal
from hikflask.services.employees.save import save_employee
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from tests.conftest import HOST, PASSWORD
from tests.support.captures import IVAN
from tests.support.desk import Desk
from tests.support.groups import make_group, wishes

ENTRANCE = Access("Вход", f"http://{HOST}", "admin", None)


@pytest.fixture
def switched_off(app: Flask, terminal: Terminal) -> None:
    with app.app_context():
        registry.change(terminal.id, dataclasses.replace(ENTRANCE, is_active=False), "Анна")
        save_employee(IVAN)
        make_group("Охрана", [terminal.id], "Охрана")


def by_page(desk: Desk) -> None:
    typed = {"name": "Вход", "url": f"http://{HOST}", "username": "admin", "is_active": "y"}
    assert desk.client.post("/terminals/1", data=typed).status_code == 303


def by_program(desk: Desk) -> None:
    assert desk.client.put("/api/devices/1", json={"is_active": True}).status_code == 200


def by_command(desk: Desk) -> None:
    add = ["terminal", "add", "Вход", f"http://{HOST}", "admin", "--password-stdin", "--replace"]
    done = desk.client.application.test_cli_runner().invoke(args=add, input=PASSWORD)
    assert done.exit_code == 0, done.output


@pytest.mark.usefixtures("switched_off")
@pytest.mark.parametrize("switch_on", [by_page, by_program, by_command])
def test_terminal_gets_its_people(desk: Desk, app: Flask, switch_on: Callable[[Desk], None]) -> None:
    switch_on(desk)
    desk.run_jobs()

    with app.app_context():
        assert wishes(IVAN.number) == {"Вход": True}


@pytest.mark.usefixtures("switched_off", "context")
def test_terminal_stays_switched_off_without_the_job_that_brings_them(terminal: Terminal) -> None:
    def killed(_: Terminal) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        registry.change(terminal.id, ENTRANCE, "Анна", in_use_again=killed)

    assert [one.is_active for one in registry.list_all()] == [False]
