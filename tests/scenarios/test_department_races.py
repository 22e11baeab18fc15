"""On PostgreSQL, departments are renamed and merged while their people are saved: nobody is lost, nothing deadlocks."""

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import Employee
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.db import locked_employee
from hikflask.services.core.errors import ServiceError
from hikflask.services.departments import merging
from hikflask.services.employees import lifecycle, search
from hikflask.services.employees.save import add_many, save_employee
from tests.scenarios.test_lock_order import PATIENCE, wait_for_a_lock
from tests.support.departments import department_id

pytestmark = [
    pytest.mark.usefixtures("context", "people"),
    pytest.mark.parametrize("database", ["postgresql"], indirect=True),
]


@pytest.fixture
def people() -> None:
    """Three in two departments, one in none."""
    for number, department in (("1", "Бух"), ("2", "Бух"), ("3", "Склад"), ("4", "")):
        save_employee(Draft(number, "Иван", department))


def departments_of_people() -> list[str]:
    found = list(db.session.execute(select(Employee.department).order_by(Employee.number)).scalars())
    db.session.commit()
    return found


def in_background(app: Flask, deed: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """Begin something in another thread; the list gets what it returns, or the error that it raises."""
    done: list[object] = []

    def act() -> None:
        with app.app_context():
            try:
                done.append(deed())
            except ServiceError as error:
                done.append(error)

    thread = threading.Thread(target=act)
    thread.start()
    return thread, done


def test_merge_waits_for_who_is_being_saved_and_takes_them_along(app: Flask) -> None:
    mine, into, olga = department_id("Бух"), department_id("Склад"), search.by_number("4")
    assert olga
    lifecycle.apply_department(locked_employee(olga.id), "бух")  # not committed yet

    thread, done = in_background(app, lambda: merging.merge([mine], into))
    wait_for_a_lock(thread)
    assert done == []
    db.session.commit()
    thread.join(PATIENCE)

    assert done == [3]
    assert departments_of_people() == ["Склад", "Склад", "Склад", "Склад"]


def test_rename_and_save_of_the_same_person_do_not_wait_for_each_other(app: Flask) -> None:
    mine, ivan = department_id("Бух"), search.by_number("1")
    assert ivan
    locked_employee(ivan.id)  # The first half of a save; the rename comes between.
    thread, done = in_background(app, lambda: merging.rename(mine, "Бухгалтерия"))
    lifecycle.apply_department(ivan, "Склад")
    db.session.commit()
    thread.join(PATIENCE)

    assert done == [1]
    assert departments_of_people() == ["Склад", "Бухгалтерия", "Склад", ""]


def test_many_who_wait_for_a_rename_are_left_to_be_added_alone(app: Flask) -> None:
    merging.rename.__wrapped__(department_id("Бух"), "Бухгалтерия")  # type: ignore[attr-defined]  # not committed yet

    drafts = [Draft("5", "Пётр", "Бух"), Draft("6", "Пётр", "Склад")]
    thread, done = in_background(app, lambda: [*add_many(drafts)])
    wait_for_a_lock(thread)
    db.session.commit()
    thread.join(PATIENCE)

    assert done == [["6"]]
    assert departments_of_people() == ["Бухгалтерия", "Бухгалтерия", "Склад", "", "Склад"]


def test_rename_gives_up_while_somebody_keeps_a_person_locked(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "PATIENCE", 0.1)
    mine, ivan = department_id("Бух"), search.by_number("1")
    assert ivan
    locked_employee(ivan.id)

    thread, done = in_background(app, lambda: merging.rename(mine, "Бухгалтерия"))
    thread.join(PATIENCE)
    db.session.rollback()

    (error,) = done
    assert str(error) == "department_busy"
    assert departments_of_people() == ["Бух", "Бух", "Склад", ""]
