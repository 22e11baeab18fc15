"""Reads groups of terminals, always fresh from the database."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Column, Select, func, select
from sqlalchemy.orm import joinedload

from hikflask.extensions import db
from hikflask.models import Department, Employee, Terminal, TerminalGroup
from hikflask.models.terminal import GROUP_DEPARTMENTS, GROUP_EMPLOYEES, GROUP_TERMINALS
from hikflask.services.core.db import MAX_COUNTED, rows_of

# The columns of what belongs to a group, for ids().
TERMINALS, DEPARTMENTS = GROUP_TERMINALS.c.terminal_id, GROUP_DEPARTMENTS.c.department_id
EMPLOYEES = GROUP_EMPLOYEES.c.employee_id


@dataclass(frozen=True)
class Listed:
    """A group with what belongs to it, as lists show it; `alone` counts the single employees."""

    id: int
    name: str
    terminals: tuple[Terminal, ...]
    departments: tuple[str, ...]
    alone: int


@dataclass(frozen=True)
class Belongs:
    """A group that an employee belongs to: alone, by the department, or both."""

    id: int
    name: str
    alone: bool
    by_department: bool


def list_all() -> list[Listed]:
    """Return all groups, sorted by name."""
    statement = select(TerminalGroup).order_by(TerminalGroup.name, TerminalGroup.id)
    groups = db.session.execute(statement, execution_options={"populate_existing": True}).scalars()
    return [_listed(group) for group in groups]


def get(group_id: int) -> Listed | None:
    """Return the group, or None."""
    group = db.session.get(TerminalGroup, group_id, populate_existing=True)
    return _listed(group) if group else None


def names() -> list[tuple[int, str]]:
    """Return id and name of each group, sorted by name."""
    rows = db.session.execute(select(TerminalGroup.id, TerminalGroup.name).order_by(TerminalGroup.name))
    return [(group_id, name) for group_id, name in rows]


def of_employee(employee: Employee) -> list[Belongs]:
    """Return the groups that an employee belongs to, sorted by name."""
    statements = (alone_of(employee.id), of_department(employee.department))
    single, shared = (set(db.session.execute(statement).scalars()) for statement in statements)
    return [Belongs(key, name, key in single, key in shared) for key, name in names() if key in single | shared]


def alone_of(employee_id: int | BindParameter[int]) -> Select[int]:
    """Return the statement for the ids of the groups that an employee belongs to alone."""
    return select(GROUP_EMPLOYEES.c.group_id).where(GROUP_EMPLOYEES.c.employee_id == employee_id)


def of_department(name: str | BindParameter[str]) -> Select[int]:
    """Return the statement for the ids of the groups that the department of this name belongs to."""
    statement = select(GROUP_DEPARTMENTS.c.group_id).join(
        Department, Department.id == GROUP_DEPARTMENTS.c.department_id
    )
    return statement.where(Department.name == name)


def people(group_id: int, limit: int) -> list[Employee]:
    """Return the first employees, by name, who belong to a group by themselves, whether active or not."""
    members = select(GROUP_EMPLOYEES.c.employee_id).where(GROUP_EMPLOYEES.c.group_id == group_id)
    statement = select(Employee).where(Employee.id.in_(members)).order_by(Employee.search, Employee.id).limit(limit)
    return list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())


def members(group: Listed, limit: int) -> tuple[list[Employee], int]:
    """Return the first active employees, by name, of a group, by themselves or by department, and how many there are.

    They are counted up to MAX_COUNTED, in each department along its index.
    """
    employees = select(Employee.search, Employee.id).where(Employee.is_active)
    alone = employees.join(GROUP_EMPLOYEES, GROUP_EMPLOYEES.c.employee_id == Employee.id)
    parts = [alone.where(GROUP_EMPLOYEES.c.group_id == group.id, Employee.department.not_in(group.departments))]
    parts += [employees.where(Employee.department == name) for name in group.departments]
    found: list[tuple[str, int]] = []
    for part in parts:
        found += rows_of(part.order_by(Employee.search, Employee.id).limit(MAX_COUNTED + 1))
    first = sorted(found)[:limit]
    statement = select(Employee).where(Employee.id.in_([employee_id for _, employee_id in first]))
    statement = statement.options(joinedload(Employee.photo)).order_by(Employee.search, Employee.id)
    shown = db.session.execute(statement, execution_options={"populate_existing": True}).scalars()
    return list(shown), min(len(found), MAX_COUNTED + 1)


def ids(column: Column[int], group_id: int) -> list[int]:
    """Return the sorted ids of what belongs to a group, by their column, such as TERMINALS."""
    statement = select(column).where(column.table.c.group_id == group_id).order_by(column)
    return list(db.session.execute(statement).scalars())


def facts(group: TerminalGroup) -> dict[str, Any]:
    """Return a group for `before` and `after` of an audit entry."""
    listed = _listed(group)
    return {
        "name": listed.name,
        "terminals": ", ".join(terminal.name for terminal in listed.terminals),
        "departments": ", ".join(listed.departments),
    }


def _listed(group: TerminalGroup) -> Listed:
    in_group = select(GROUP_TERMINALS.c.terminal_id).where(GROUP_TERMINALS.c.group_id == group.id)
    terminals = select(Terminal).where(Terminal.id.in_(in_group)).order_by(Terminal.name)
    theirs = select(GROUP_DEPARTMENTS.c.department_id).where(GROUP_DEPARTMENTS.c.group_id == group.id)
    departments = select(Department.name).where(Department.id.in_(theirs)).order_by(Department.folded, Department.name)
    alone = select(func.count()).select_from(GROUP_EMPLOYEES).where(GROUP_EMPLOYEES.c.group_id == group.id)
    return Listed(
        group.id,
        group.name,
        tuple(db.session.execute(terminals).scalars()),
        tuple(db.session.execute(departments).scalars()),
        db.session.execute(alone).scalar_one(),
    )
