"""Groups are added, changed and deleted by a name that no other has, and the audit trail tells of each."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select, update

from hikflask.extensions import db
from hikflask.models import Employee, Terminal
from hikflask.models.columns import database_now
from hikflask.models.terminal import GROUP_DEPARTMENTS, GROUP_EMPLOYEES, GROUP_TERMINALS
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import ServiceError
from hikflask.services.departments import registry as departments
from hikflask.services.employees.lifecycle import delete_employee
from hikflask.services.employees.save import save_employee
from hikflask.services.groups import queries, registry
from hikflask.services.groups.registry import Wanted
from tests.support.groups import ENTRANCE, STORE, add_terminals, make_group
from tests.support.trail import entries

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


@pytest.fixture
def ids(context: None) -> dict[str, int]:  # noqa: ARG001
    return add_terminals(ENTRANCE, STORE)


def test_department_is_found_in_any_spelling_and_added_when_unknown(ids: dict[str, int]) -> None:
    departments.add("Охрана")

    group_id = make_group("Офис", [ids[STORE], ids[ENTRANCE]], " охрана ", "Охрана", "Новый  отдел", "")

    found = queries.get(group_id)
    assert found is not None
    assert (found.name, [one.name for one in found.terminals]) == ("Офис", [ENTRANCE, STORE])
    assert found.departments == ("Новый отдел", "Охрана")
    (entry,) = entries("group.created")
    after = {"name": "Офис", "terminals": "Вход, Склад", "departments": "Новый отдел, Охрана"}
    assert (entry.subject, entry.after) == ("Офис", after)


def test_change_replaces_terminals_and_departments_and_says_what_was_before(ids: dict[str, int]) -> None:
    group_id = make_group("Офис", [ids[ENTRANCE]], "Охрана")

    written = registry.write(group_id, Wanted("Офисы", [ids[STORE]], []))
    db.session.commit()

    assert (written.name, {*written.touched}) == ("Офисы", {ids[ENTRANCE], ids[STORE]})
    (entry,) = entries("group.changed")
    assert entry.before == {"name": "Офис", "terminals": "Вход", "departments": "Охрана"}
    assert entry.after == {"name": "Офисы", "terminals": "Склад", "departments": ""}
    registry.write(group_id, Wanted("Офисы", [ids[STORE]], []))
    db.session.commit()
    assert len(entries("group.changed")) == 1


def test_name_of_another_group_is_refused(ids: dict[str, int]) -> None:
    make_group("Офис", [ids[ENTRANCE]])
    other = make_group("Склад", [])

    for group_id in (None, other):
        with pytest.raises(ServiceError, match=r"^group_known$") as refused:
            registry.write(group_id, Wanted("Офис"))
        assert refused.value.fields == ("name",)
        db.session.rollback()


def test_unknown_terminal_or_one_out_of_service_is_refused_but_may_stay(ids: dict[str, int]) -> None:
    group_id = make_group("Офис", [ids[ENTRANCE]])
    retired = update(Terminal).where(Terminal.id == ids[ENTRANCE]).values(is_active=False, retired_at=database_now())
    db.session.execute(retired)
    db.session.commit()

    for wanted in ([99], [ids[ENTRANCE]]):
        with pytest.raises(ServiceError, match=r"^group_terminal_unknown$") as refused:
            registry.write(None, Wanted("Склад", wanted))
        assert (refused.value.fields, refused.value.params) == (("device_ids",), {"n": wanted[0]})
        db.session.rollback()
    assert registry.write(group_id, Wanted("Офис", list(ids.values()))).touched == set(ids.values())
    db.session.rollback()


def test_employees_are_added_by_number_and_removed_by_id(ids: dict[str, int]) -> None:
    first, second = (save_employee(Draft(number, "Анна")).row for number in ("1", "2"))
    with pytest.raises(ServiceError, match=r"^group_employee_unknown$") as refused:
        registry.write(None, Wanted("Офис", added=["1", "77"]))
    assert refused.value.params == {"n": "77"}
    db.session.rollback()
    group_id = make_group("Офис", [ids[ENTRANCE]], added=["1", "1"])

    registry.write(group_id, Wanted("Офис", added=["2", "1"], removed=[first.id, 99]))
    db.session.commit()

    assert [one.id for one in queries.people(group_id, 10)] == [second.id]
    noted = [(entry.employee, entry.before, entry.after) for entry in entries("employee.groups_changed")]
    assert noted == [
        ("1", {"groups": ""}, {"groups": "Офис"}),
        ("2", {"groups": ""}, {"groups": "Офис"}),
        ("1", {"groups": "Офис"}, {"groups": ""}),
    ]


def test_deleted_group_leaves_nothing_and_one_that_is_gone_is_refused(ids: dict[str, int]) -> None:
    save_employee(Draft("1", "Анна"))
    group_id = make_group("Офис", [ids[ENTRANCE]], "Охрана", added=["1"])

    registry.delete_group(group_id)
    db.session.commit()

    for table in (GROUP_TERMINALS, GROUP_DEPARTMENTS, GROUP_EMPLOYEES):
        assert db.session.execute(select(func.count()).select_from(table)).scalar_one() == 0
    assert queries.list_all() == []
    assert [entry.subject for entry in entries("group.deleted")] == ["Офис"]
    assert entries("employee.groups_changed")[-1].after == {"groups": ""}
    late: list[Callable[[], object]] = [
        lambda: registry.delete_group(group_id),
        lambda: registry.write(group_id, Wanted("Офис")),
    ]
    for again in late:
        with pytest.raises(ServiceError, match=r"^group_unknown$"):
            again()
        db.session.rollback()


def test_what_is_deleted_leaves_its_groups(ids: dict[str, int]) -> None:
    saved = save_employee(Draft("1", "Анна")).row
    group_id = make_group("Офис", [ids[ENTRANCE]], "Охрана", added=["1"])

    delete_employee(saved.id)
    departments.delete(queries.ids(queries.DEPARTMENTS, group_id)[0])

    found = queries.get(group_id)
    assert found is not None
    assert (found.alone, found.departments) == (0, ())
    assert db.session.execute(select(Employee.id)).first() is None
