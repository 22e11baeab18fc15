"""Departments by name: any spelling finds one, and it is added and deleted by hand."""

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import AuditEntry, Department
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.db import transaction
from hikflask.services.core.errors import DepartmentKnown, NotFound, ServiceError
from hikflask.services.departments import registry
from hikflask.services.employees.save import save_employee

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("context", "worker_alive")]


def add(*names: str) -> list[Department]:
    return [registry.add(name) for name in names]


def resolved(name: str) -> str:
    with transaction():
        return registry.resolve(name)


def test_other_spellings_find_the_department() -> None:
    add("Отдел учёта")

    for spelling in ("Отдел учёта", "отдел учета", "ОТДЕЛ  УЧЁТА", " Отдел\u00a0учёта ", "Отдел уче\u0308та"):
        assert resolved(spelling) == "Отдел учёта", spelling
    assert registry.names() == ["Отдел учёта"]


def test_unknown_department_is_added_with_single_spaces() -> None:
    assert resolved("  Охрана   склада") == "Охрана склада"
    assert registry.names() == ["Охрана склада"]


def test_no_department_stays_none() -> None:
    assert resolved("") == resolved("  ") == ""
    assert registry.names() == []


def test_the_very_spelling_is_preferred_where_there_are_several_already() -> None:
    db.session.add_all([Department(name="ИТ"), Department(name="ит")])
    db.session.commit()

    assert [resolved(name) for name in ("ИТ", "ит", "Ит")] == ["ИТ", "ит", "ИТ"]


def test_names_of_many_departments_are_found_as_that_of_one() -> None:
    db.session.add_all([Department(name="ИТ"), Department(name="ит"), Department(name="Отдел учёта")])
    db.session.commit()
    names = ["ИТ", "ит", "Ит", "отдел  учета", "", "  "]

    stored = registry.kept_names([*names, "Склад"])
    db.session.commit()

    assert stored == {name: resolved(name) for name in names}
    assert registry.find("Склад") is None


def test_department_that_is_only_looked_for_is_not_added() -> None:
    add("Охрана")

    assert registry.find("ОХРАНА") == "Охрана"
    assert registry.find("Склад") is None
    assert registry.names() == ["Охрана"]


def test_added_department_is_gone_when_the_transaction_is_given_up() -> None:
    registry.resolve("Охрана")
    db.session.rollback()

    assert registry.names() == []


def test_names_are_sorted_as_people_sort_them() -> None:
    add("Ёлочный отдел", "Яхты", "архив", "Бюро", "Жильё")

    assert registry.names() == ["архив", "Бюро", "Ёлочный отдел", "Жильё", "Яхты"]


def test_department_is_not_added_twice_in_another_spelling() -> None:
    (known,) = add("Бухгалтерия")

    with pytest.raises(DepartmentKnown) as refused:
        add("  бухгалтерия ")

    assert refused.value.params == {"name": "Бухгалтерия", "department_id": known.id}
    assert registry.names() == ["Бухгалтерия"]


def test_department_with_people_is_not_deleted() -> None:
    save_employee(Draft("1", "Иван", "Охрана"))
    department = db.session.execute(select(Department)).scalar_one()

    with pytest.raises(ServiceError, match=r"^department_has_people$"):
        registry.delete(department.id)

    assert not registry.delete_unused("Охрана")
    assert registry.names() == ["Охрана"]


def test_empty_department_is_deleted() -> None:
    first, _ = add("Охрана", "Склад")

    assert registry.delete(first.id) == "Охрана"
    assert registry.delete_unused("Склад")
    db.session.commit()

    assert registry.names() == []
    with pytest.raises(NotFound, match=r"^department_unknown$"):
        registry.delete(first.id)
    assert not registry.delete_unused("Склад")


def test_what_is_done_by_hand_is_in_the_audit_trail() -> None:
    (department,) = add("Охрана")
    registry.delete(department.id)

    entries = db.session.execute(select(AuditEntry.action, AuditEntry.subject).order_by(AuditEntry.id))
    assert [tuple(entry) for entry in entries] == [("department.created", "Охрана"), ("department.deleted", "Охрана")]


def at_once(app: Flask, *deeds: Callable[[], object]) -> list[object]:
    """Do all of this at the same moment, and return what each returned."""
    begin = threading.Barrier(len(deeds))
    found: list[object] = [None] * len(deeds)

    def act(number: int, deed: Callable[[], object]) -> None:
        with app.app_context():
            begin.wait()
            found[number] = deed()

    threads = [threading.Thread(target=act, args=each) for each in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_two_spellings_at_the_same_moment_become_one_department(app: Flask) -> None:
    for word in ("охрана", "склад", "отдел кадров"):
        spellings = [word, word.upper(), word.title(), f" {word} "]
        found = at_once(app, *(lambda spelling=spelling: resolved(spelling) for spelling in spellings))

        assert len(set(found)) == 1
    assert len(registry.names()) == 3
