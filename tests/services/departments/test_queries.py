"""The page of departments: people counted, and names that look alike."""

import pytest
from sqlalchemy import event

from hikflask.extensions import db
from hikflask.models import Department
from hikflask.services.captures.drafts import Draft
from hikflask.services.departments import queries, registry
from hikflask.services.departments.queries import Counted
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.employees.save import save_employee

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("context")]


def test_page_counts_everybody_in_a_department_in_one_statement() -> None:
    for number, department in enumerate(("Склад", "Архив", "Склад", "")):
        save_employee(Draft(str(number), "Иван", department))
    set_active(save_employee(Draft("9", "Пётр", "Склад")).row.id, active=False)
    registry.add("Ёлки")
    asked: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))

    found, total = queries.page(2, 0)

    assert [(one.name, one.people) for one in found] == [("Архив", 1), ("Ёлки", 0)]
    assert total == 3
    assert len(asked) == 2
    assert [(one.name, one.people) for one in queries.page(2, 2)[0]] == [("Склад", 3)]


def test_names_that_differ_in_signs_and_spaces_look_alike_and_abbreviations_do_not() -> None:
    names = ("Отдел IT", "отдел-it", "Отдел «IT»", "Отдел ИТ", "Бух.", "Бухгалтерия", "...", "--", "цех 1", "цех 11")
    db.session.add_all([Department(name=name) for name in names])
    db.session.commit()
    save_employee(Draft("1", "Иван", "Отдел «IT»"))

    (group,) = queries.lookalikes()

    assert group == [Counted(3, "Отдел «IT»", 1), Counted(1, "Отдел IT", 0), Counted(2, "отдел-it", 0)]


def test_spellings_from_before_the_table_look_alike() -> None:
    db.session.add_all([Department(name=name) for name in ("Учёт", "учет", "УЧЁТ ")])
    db.session.commit()

    assert [[one.name for one in group] for group in queries.lookalikes()] == [["Учёт", "учет", "УЧЁТ "]]
