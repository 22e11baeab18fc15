"""Adds, changes and deletes groups of terminals, within the caller's transaction.

What changes for people by it, and the job that does it, is the caller's: services/jobs/groups.py.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, delete, insert, select

from hikflask.extensions import db
from hikflask.models import Department, Employee, Terminal, TerminalGroup
from hikflask.models.columns import storable
from hikflask.models.terminal_group import GROUP_DEPARTMENTS, GROUP_EMPLOYEES, GROUP_TERMINALS
from hikflask.services import audit
from hikflask.services.core.db import HELD_TERMINALS, Require, changed_rows
from hikflask.services.core.errors import NotFound, ServiceError
from hikflask.services.departments import registry as departments
from hikflask.services.groups import locks, membership, queries


@dataclass(frozen=True)
class Wanted:
    """What is to become of a group once it is locked; the name None stays.

    `terminal_ids` and `departments` come into it. These are names, in any spelling; unknown ones are added.
    `removed_terminals` and `removed_departments` are the ids of those that leave it; None: all others. `added` are the
    numbers of employees who shall belong to it alone, `removed` the ids of those who shall not.
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
    # The departments before the groups, as whoever saves an employee.
    names = [name for name in dict.fromkeys(map(departments.resolve, wanted.departments)) if name]
    locks.change_alone()
    if require:
        require()
    group = _row(group_id) if group_id else None
    name = storable(wanted.name or "") or (group.name if group else "")
    _refuse_known(name, group)
    present = queries.terminal_ids(group.id) if group else []
    added, terminal_ids = _employees(wanted.added), [*wanted.terminal_ids, *_staying(present, wanted.removed_terminals)]
    _hold_known(terminal_ids, present)
    before = queries.facts(group) if group else None
    if group is None:
        group = TerminalGroup(name="")
        db.session.add(group)
    group.name = name
    db.session.flush()
    present_departments = queries.department_ids(group.id)
    department_ids = [*_ids_of(names), *_staying(present_departments, wanted.removed_departments)]
    _replace(GROUP_TERMINALS.c.terminal_id, group.id, present, terminal_ids)
    _replace(GROUP_DEPARTMENTS.c.department_id, group.id, present_departments, department_ids)
    _let_belong(group, added, wanted.removed)
    _note(group, before)
    return Written(group.id, group.name, frozenset({*terminal_ids, *present}))


def delete_group(group_id: int) -> Written:
    """Delete a group.

    :raises group_unknown: when there is none.
    """
    locks.change_alone()
    group = _row(group_id)
    before, gone = queries.facts(group), Written(group_id, group.name, frozenset(queries.terminal_ids(group_id)))
    alone = select(GROUP_EMPLOYEES.c.employee_id).where(GROUP_EMPLOYEES.c.group_id == group_id)
    _let_belong(group, [], list(db.session.execute(alone).scalars()))
    audit.record("group.deleted", subject=group.name, before=before)
    for table in (GROUP_TERMINALS, GROUP_DEPARTMENTS):
        changed_rows(delete(table).where(table.c.group_id == group_id))
    changed_rows(delete(TerminalGroup).where(TerminalGroup.id == group_id))
    db.session.expunge(group)
    return gone


def _row(group_id: int) -> TerminalGroup:
    found = db.session.get(TerminalGroup, group_id, populate_existing=True)
    if found is None:
        raise NotFound("group_unknown")
    return found


def _staying(present: Iterable[int], removed: Collection[int] | None) -> list[int]:
    """Return the ids that stay in a group; without `removed`, none does by itself."""
    return [] if removed is None else [number for number in present if number not in removed]


def _refuse_known(name: str, group: TerminalGroup | None) -> None:
    same = select(TerminalGroup.id).where(TerminalGroup.name == name)
    other = db.session.execute(same).scalar_one_or_none()
    if other is not None and (group is None or other != group.id):
        raise ServiceError("group_known")


def _hold_known(terminal_ids: Collection[int], present: Collection[int]) -> None:
    """Hold these terminals. One that is out of service for good may stay in a group, but not come into it."""
    rows = db.session.execute(HELD_TERMINALS.where(Terminal.id.in_(terminal_ids))).scalars()
    allowed = {terminal.id for terminal in rows if terminal.retired_at is None or terminal.id in present}
    for terminal_id in terminal_ids:
        if terminal_id not in allowed:
            raise ServiceError("group_terminal_unknown", n=terminal_id)


def _employees(numbers: Iterable[str]) -> list[Employee]:
    found = []
    for number in dict.fromkeys(numbers):
        employee = db.session.execute(select(Employee).where(Employee.number == storable(number))).scalar_one_or_none()
        if employee is None:
            raise ServiceError("group_employee_unknown", n=number)
        found.append(employee)
    return found


def _ids_of(names: Collection[str]) -> list[int]:
    return list(db.session.execute(select(Department.id).where(Department.name.in_(names))).scalars())


def _replace(column: Column[int], group_id: int, present: Collection[int], ids: Collection[int]) -> None:
    """Let these rows belong to a group, and no others; those that do already are not touched."""
    changed_rows(delete(column.table).where(column.table.c.group_id == group_id, column.not_in(ids)))
    for other in sorted({*ids} - {*present}):
        db.session.execute(insert(column.table).values({"group_id": group_id, column.name: other}))


def _let_belong(group: TerminalGroup, added: Iterable[Employee], removed: Collection[int]) -> None:
    """Let employees belong to the group alone, and others not any more; the audit trail tells of each."""
    mine = select(GROUP_EMPLOYEES.c.employee_id).where(GROUP_EMPLOYEES.c.group_id == group.id)
    present = set(db.session.execute(mine).scalars())
    for employee in added:
        if employee.id not in present:
            db.session.execute(insert(GROUP_EMPLOYEES).values(group_id=group.id, employee_id=employee.id))
            membership.note_changed(employee, "", group.name)
    for employee_id in sorted(present & set(removed)):
        employee = db.session.get_one(Employee, employee_id)
        membership.note_changed(employee, group.name, "")
        gone = (GROUP_EMPLOYEES.c.group_id == group.id, GROUP_EMPLOYEES.c.employee_id == employee_id)
        changed_rows(delete(GROUP_EMPLOYEES).where(*gone))


def _note(group: TerminalGroup, before: dict[str, Any] | None) -> None:
    after = queries.facts(group)
    if before is None:
        audit.record("group.created", subject=group.name, after=after)
    elif before != after:
        audit.record("group.changed", subject=group.name, before=before, after=after)
