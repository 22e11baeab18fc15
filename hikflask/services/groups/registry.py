"""Adds, changes and deletes groups of terminals, within the caller's transaction.

The job that follows for people is started in services/groups/changing.py.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Column, delete, insert, select

from hikflask.extensions import db
from hikflask.models import Department, Employee, Terminal, TerminalGroup
from hikflask.models.terminal import GROUP_DEPARTMENTS, GROUP_EMPLOYEES, GROUP_TERMINALS
from hikflask.services import audit
from hikflask.services.core.db import HELD_TERMINALS, Require, changed_rows
from hikflask.services.core.errors import NotFound, ServiceError
from hikflask.services.departments import registry as departments
from hikflask.services.groups import locks, membership, queries
from hikflask.text_rules import storable


@dataclass(frozen=True)
class Wanted:
    """The desired state of a group; the name None stays.

    `terminal_ids` and `departments` are added to it; departments by name, in any spelling, and new ones are created.
    `removed_terminals` and `removed_departments` are ids to remove; None: all that are not added. `added` are the
    numbers of single employees to add, `removed` the ids of single employees to remove.
    """

    name: str | None
    terminal_ids: Collection[int] = ()
    departments: Sequence[str] = ()
    added: Sequence[str] = ()
    removed: Collection[int] = ()
    removed_terminals: Collection[int] | None = None
    removed_departments: Collection[int] | None = None


@dataclass(frozen=True)
class Written:
    """A group that was added or changed, and the terminals that people may get or lose by it."""

    group_id: int
    name: str
    touched: frozenset[int]


def write(group_id: int | None, wanted: Wanted, require: Require | None = None) -> Written:
    """Change a group, or add one (None).

    :param require: is called once groups are locked, and raises when nothing is to be done.
    :raises group_unknown: :raises group_known: when another group has the name. :raises group_terminal_unknown:
    :raises group_employee_unknown: when no employee has a number.
    """
    # The departments before the groups, as a save of an employee locks them.
    names = [name for name in dict.fromkeys(map(departments.resolve, wanted.departments)) if name]
    locks.change_alone()
    if require:
        require()
    group = _row(group_id) if group_id else None
    name = storable(wanted.name or "") or (group.name if group else "")
    namesake = select(TerminalGroup.id).where(TerminalGroup.name == name, TerminalGroup.id != (group_id or 0))
    if db.session.execute(namesake).first():
        raise ServiceError("group_known")
    current = queries.ids(queries.TERMINALS, group.id) if group else []
    added, terminal_ids = _employees(wanted.added), [*wanted.terminal_ids, *_staying(current, wanted.removed_terminals)]
    _hold_known(terminal_ids, current)
    before = queries.facts(group) if group else None
    if group is None:
        group = TerminalGroup(name="")
        db.session.add(group)
    group.name = name
    db.session.flush()
    current_departments = queries.ids(queries.DEPARTMENTS, group.id)
    added_departments = db.session.execute(select(Department.id).where(Department.name.in_(names))).scalars()
    department_ids = [*added_departments, *_staying(current_departments, wanted.removed_departments)]
    _replace(GROUP_TERMINALS.c.terminal_id, group.id, current, terminal_ids)
    _replace(GROUP_DEPARTMENTS.c.department_id, group.id, current_departments, department_ids)
    _change_people(group, added, wanted.removed)
    after = queries.facts(group)
    if before != after:
        action = "group.changed" if before else "group.created"
        audit.record(action, subject=group.name, before=before, after=after)
    return Written(group.id, group.name, frozenset({*terminal_ids, *current}))


def delete_group(group_id: int) -> Written:
    """Delete a group.

    :raises group_unknown: when there is none.
    """
    locks.change_alone()
    group = _row(group_id)
    before, terminal_ids = queries.facts(group), queries.ids(queries.TERMINALS, group_id)
    gone = Written(group_id, group.name, frozenset(terminal_ids))
    _change_people(group, [], queries.ids(queries.EMPLOYEES, group_id))
    audit.record("group.deleted", subject=group.name, before=before)
    for table in (GROUP_TERMINALS, GROUP_DEPARTMENTS):
        changed_rows(delete(table).where(table.c.group_id == group_id))
    changed_rows(delete(TerminalGroup).where(TerminalGroup.id == group_id))
    db.session.expunge(group)
    return gone


def _row(group_id: int) -> TerminalGroup:
    group = db.session.get(TerminalGroup, group_id, populate_existing=True)
    if group is None:
        raise NotFound("group_unknown")
    return group


def _staying(current: Iterable[int], removed: Collection[int] | None) -> list[int]:
    """Return the ids that stay in a group; without `removed`, none does by itself."""
    return [] if removed is None else [number for number in current if number not in removed]


def _hold_known(terminal_ids: Collection[int], current: Collection[int]) -> None:
    """Hold terminals. A terminal that is out of service for good may stay in a group, but not come into it.

    :raises group_terminal_unknown:
    """
    rows = db.session.execute(HELD_TERMINALS.where(Terminal.id.in_(terminal_ids))).scalars()
    allowed = {terminal.id for terminal in rows if terminal.retired_at is None or terminal.id in current}
    for terminal_id in terminal_ids:
        if terminal_id not in allowed:
            raise ServiceError("group_terminal_unknown", n=terminal_id)


def _employees(numbers: Iterable[str]) -> list[Employee]:
    employees = []
    for number in dict.fromkeys(numbers):
        employee = db.session.execute(select(Employee).where(Employee.number == storable(number))).scalar_one_or_none()
        if employee is None:
            raise ServiceError("group_employee_unknown", n=number)
        employees.append(employee)
    return employees


def _replace(column: Column[int], group_id: int, current: Collection[int], ids: Collection[int]) -> None:
    """Make these rows, and no others, belong to a group; those that do already are not touched."""
    changed_rows(delete(column.table).where(column.table.c.group_id == group_id, column.not_in(ids)))
    for other in sorted({*ids} - {*current}):
        db.session.execute(insert(column.table).values({"group_id": group_id, column.name: other}))


def _change_people(group: TerminalGroup, added: Iterable[Employee], removed: Collection[int]) -> None:
    """Add single employees to a group and remove others, each with an entry in the audit trail."""
    current = {*queries.ids(queries.EMPLOYEES, group.id)}
    for employee in added:
        if employee.id not in current:
            db.session.execute(insert(GROUP_EMPLOYEES).values(group_id=group.id, employee_id=employee.id))
            membership.record_change(employee, "", group.name)
    for employee_id in sorted(current & set(removed)):
        employee = db.session.get_one(Employee, employee_id)
        membership.record_change(employee, group.name, "")
        gone = (GROUP_EMPLOYEES.c.group_id == group.id, GROUP_EMPLOYEES.c.employee_id == employee_id)
        changed_rows(delete(GROUP_EMPLOYEES).where(*gone))
