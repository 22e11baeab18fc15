"""What groups change for very many is counted by the database, before anything is done."""

import pytest
from sqlalchemy import Select, insert, select

from hikflask.extensions import db
from hikflask.models import Employee, Terminal
from hikflask.models.terminal import GROUP_DEPARTMENTS
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import UnsafePlan
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments.mass_removals import Confirmation
from hikflask.services.groups import differences
from hikflask.services.groups.differences import Difference, Differences, Scope
from tests.support.departments import department_id
from tests.support.groups import ENTRANCE, STORE, add_terminals, make_group
from tests.support.removals import BY_OPERATOR

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


def counted(scope: Scope) -> list[tuple[str, int, int, int]]:
    found = differences.count(scope)
    return [(one.terminal.name, one.gets, one.loses, one.people) for one in found.terminals]


@pytest.fixture
def ids(context: None) -> dict[str, int]:  # noqa: ARG001
    """«Офис» has the entrance, «Склад» the store; one guard, two keepers, one in no department."""
    ids = add_terminals(ENTRANCE, STORE)
    make_group("Офис", [ids[ENTRANCE]], "Охрана")
    make_group("Склад", [ids[STORE]], "Кладовая")
    for number, department in (("1", "Охрана"), ("2", "Кладовая"), ("3", "Кладовая"), ("4", "")):
        save_employee(Draft(number, "Анна", department))
    return ids


def numbered(*numbers: str) -> Select[int]:
    return select(Employee.id).where(Employee.number.in_(numbers))


def test_nothing_differs_after_saves(ids: dict[str, int]) -> None:
    assert ids
    assert not differences.count(Scope())
    assert differences.employees(Scope()) == []
    assert differences.lacking(["1", "2", "3", "4"]) == set()


def test_people_moved_to_another_department_are_counted_at_each_terminal(ids: dict[str, int]) -> None:
    assert ids
    all_people = numbered("1", "2", "3", "4")

    assert counted(Scope(all_people, department_id=department_id("Охрана"))) == [(ENTRANCE, 3, 0, 1), (STORE, 0, 2, 2)]
    assert counted(Scope(all_people, department_id=0)) == [(ENTRANCE, 0, 1, 1), (STORE, 0, 2, 2)]
    assert counted(Scope(numbered("4"), department_id=department_id("Кладовая"))) == [(STORE, 1, 0, 2)]
    assert differences.count(Scope(all_people, department_id=0)).losers == 3


def test_changed_group_is_looked_at_alone_and_names_those_for_whom_something_changes(ids: dict[str, int]) -> None:
    office = select(GROUP_DEPARTMENTS.c.group_id).where(GROUP_DEPARTMENTS.c.department_id == department_id("Охрана"))
    group_id = db.session.execute(office).scalar_one()
    db.session.execute(insert(GROUP_DEPARTMENTS).values(group_id=group_id, department_id=department_id("Кладовая")))

    assert counted(Scope(terminal_ids=[ids[ENTRANCE]])) == [(ENTRANCE, 2, 0, 1)]
    assert counted(Scope(terminal_ids=[ids[STORE]])) == []
    assert [number for number, _ in differences.employees(Scope(terminal_ids=[ids[ENTRANCE]]))] == ["2", "3"]
    assert differences.lacking(["1", "2"]) == {"2"}


@pytest.mark.parametrize(
    ("loses", "people", "unsafe"), [(20, 300, False), (21, 300, True), (10, 100, False), (11, 100, True), (2, 2, False)]
)
def test_many_losers_need_their_number_typed(loses: int, people: int, unsafe: bool) -> None:
    found = Differences((Difference(Terminal(name=ENTRANCE), 5, loses, people),), loses)

    assert found.losses.exceeds_limit is unsafe
    found.require_agreed(None, Confirmation(loses, by_admin=True))
    if unsafe:
        with pytest.raises(UnsafePlan) as refused:
            found.require_agreed(None, Confirmation(loses + 1, by_admin=True))
        assert refused.value.count == loses
    else:
        found.require_agreed(None, BY_OPERATOR)
