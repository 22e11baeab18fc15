"""Departments renamed and merged with everybody in them, and nobody is lost who is saved at that moment."""

import threading
from contextlib import suppress

import pytest
from flask import Flask
from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import Employee
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.db import locked_employee
from hikflask.services.core.errors import DepartmentKnown, NotFound, ServiceError
from hikflask.services.departments import merging, registry
from hikflask.services.employees import lifecycle, search
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.save import save_employee
from hikflask.text_rules import folded
from tests.support.departments import department_id
from tests.support.trail import entries

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("context", "worker_alive")]

LETTERS = "Ёлочный İ ﬁ"  # Some of these are longer when they are folded.


@pytest.fixture
def people(context: None) -> None:  # noqa: ARG001
    """Three in two departments, one in none."""
    for number, name, department in (
        ("1", "Иван Ёжиков", "Бух"),
        ("2", "Пётр İlk", "Бух"),
        ("3", "Анна", "Склад"),
        ("4", "Олег", ""),
    ):
        save_employee(Draft(number, name, department))


def departments_of_people() -> list[str]:
    found = list(db.session.execute(select(Employee).order_by(Employee.number)).scalars())
    for one in found:
        db.session.refresh(one)
        assert one.search == folded(f"{one.name} {one.number} {one.department}")
    db.session.commit()
    return [one.department for one in found]


@pytest.mark.usefixtures("people")
def test_renamed_department_takes_its_people_along_and_search_finds_them() -> None:
    assert merging.rename(department_id("Бух"), f" {LETTERS}  кадров ") == 2

    assert departments_of_people() == [f"{LETTERS} кадров", f"{LETTERS} кадров", "Склад", ""]
    assert registry.names() == [f"{LETTERS} кадров", "Склад"]
    assert search.count(EmployeeFilter(q="елочный кадров")) == 2
    assert search.count(EmployeeFilter(q="бух")) == 0
    assert merging.rename(department_id(f"{LETTERS} кадров"), "Бух") == 2
    assert departments_of_people() == ["Бух", "Бух", "Склад", ""]


@pytest.mark.usefixtures("people")
def test_spelling_of_a_department_can_be_changed() -> None:
    assert merging.rename(department_id("Бух"), "БУХ") == 2
    assert merging.rename(department_id("БУХ"), "БУХ") == 0

    assert departments_of_people() == ["БУХ", "БУХ", "Склад", ""]
    assert [one.after for one in entries("department.renamed")] == [{"name": "БУХ", "people": 2}]


@pytest.mark.usefixtures("people")
def test_rename_to_the_name_of_another_department_is_refused_and_names_it() -> None:
    with pytest.raises(DepartmentKnown) as refused:
        merging.rename(department_id("Бух"), "склад")

    assert refused.value.params == {"name": "Склад", "department_id": department_id("Склад")}
    assert departments_of_people() == ["Бух", "Бух", "Склад", ""]


@pytest.mark.usefixtures("people")
def test_merged_department_is_gone_and_its_people_are_in_the_other_one() -> None:
    assert merging.merge([department_id("Бух")], department_id("Склад")) == 2

    assert departments_of_people() == ["Склад", "Склад", "Склад", ""]
    assert registry.names() == ["Склад"]
    (entry,) = entries("department.merged")
    assert (entry.subject, entry.before, entry.after) == ("Склад", {"name": "Бух"}, {"name": "Склад", "people": 2})


@pytest.mark.usefixtures("people")
def test_several_departments_are_merged_at_once() -> None:
    empty = registry.add("Бухгалтерия")

    assert merging.merge([department_id("Бух"), department_id("Склад")], empty.id) == 3

    assert departments_of_people() == ["Бухгалтерия", "Бухгалтерия", "Бухгалтерия", ""]
    assert len(entries("department.merged")) == 2


@pytest.mark.usefixtures("people")
def test_department_is_merged_neither_into_itself_nor_with_one_that_is_gone() -> None:
    mine = department_id("Бух")

    for others, into in (([mine], mine), ([mine], 99), ([mine, 99], department_id("Склад")), ([], mine)):
        with pytest.raises(NotFound, match=r"^department_unknown$"):
            merging.merge(others, into)
    with pytest.raises(NotFound, match=r"^department_unknown$"):
        merging.rename(99, "Охрана")

    assert departments_of_people() == ["Бух", "Бух", "Склад", ""]
    assert registry.names() == ["Бух", "Склад"]


@pytest.mark.usefixtures("people")
def test_people_saved_while_departments_are_renamed_and_merged_are_in_one_that_there_is(app: Flask) -> None:
    begin, done = threading.Barrier(2), []
    ids = [one.id for one in db.session.execute(select(Employee)).scalars()]

    def save_all() -> None:
        with app.app_context():
            begin.wait()
            for number in range(12):
                lifecycle.apply_department(locked_employee(ids[number % 4]), "Бух" if number % 3 else "Склад")
                db.session.commit()
                done.append(number)

    thread = threading.Thread(target=save_all)
    thread.start()
    begin.wait()
    for _ in range(4):
        # Whoever is saved may add a department again that was just merged.
        for deed in (
            lambda: merging.merge([department_id("Склад")], department_id("Бух")),
            lambda: merging.rename(department_id("Бух"), "Склад"),
            lambda: registry.add("Бух"),
        ):
            with suppress(ServiceError):
                deed()
    thread.join()

    assert len(done) == 12
    assert set(departments_of_people()) <= set(registry.names())
