"""Which of several terminals is selected in the form."""

import re

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Capture, Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from tests.support.desk import Desk


def offered(page: str) -> str:
    found = re.search(r'<option value="\d+" selected>([^<]+)</option>', page)
    assert found
    return found[1]


def change(app: Flask, name: str, **values: object) -> None:
    with app.app_context():
        db.session.execute(db.update(Terminal).where(Terminal.name == name).values(**values))
        db.session.commit()


def terminal_id(name: str) -> int:
    found = registry.find_by_name(name)
    assert found
    return found.id


@pytest.fixture(autouse=True)
def several(app: Flask, desk: Desk) -> None:  # noqa: ARG001
    with app.app_context():
        for name in ("Архив", "Склад"):
            registry.add(Access(name, f"http://{len(name)}.test", "admin", "x"))


def test_first_is_offered_to_somebody_who_captured_nowhere_yet(desk: Desk) -> None:
    assert offered(desk.text("/employees/new")) == "Архив"


@pytest.mark.parametrize("trouble", [{"reachable": False}, {"refused_since": database_now()}])
def test_one_in_trouble_is_not_offered_while_another_may(desk: Desk, app: Flask, trouble: dict[str, object]) -> None:
    change(app, "Архив", **trouble)

    assert offered(desk.text("/employees/new")) == "Вход"


def test_first_is_offered_when_none_answers(desk: Desk, app: Flask) -> None:
    for name in ("Архив", "Вход", "Склад"):
        change(app, name, reachable=False)

    assert offered(desk.text("/employees/new")) == "Архив"


def test_last_used_is_offered_to_whoever_used_it(desk: Desk, app: Flask) -> None:
    with app.app_context():
        for who, where in (("Анна", "Вход"), ("Анна", "Склад"), ("Борис", "Вход")):
            taken = Capture(terminal_id=terminal_id(where), requested_by=who, state="failed", deadline=database_now())
            db.session.add(taken)
        db.session.commit()

    assert offered(desk.text("/employees/new")) == "Склад"
    change(app, "Склад", reachable=False)
    assert offered(desk.text("/employees/new")) == "Архив"


def test_employees_own_terminal_is_offered_before_the_last_used(desk: Desk, app: Flask) -> None:
    employee = desk.save(terminal_id="1")
    with app.app_context():
        db.session.execute(db.update(Enrolment).values(terminal_id=terminal_id("Склад")))
        db.session.commit()

    assert offered(desk.text(f"{employee}/edit")) == "Склад"
    assert offered(desk.text("/employees/new")) == "Вход"
