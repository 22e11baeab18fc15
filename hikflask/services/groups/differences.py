"""Computes, for very many employees at once, who would get and lose which terminals by groups.

The database compares where groups ask for people with where they are desired; membership.apply() does so for one.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, or_, select, union

from hikflask.extensions import db
from hikflask.models import Department, Employee, Enrolment, Terminal
from hikflask.models.enrolment import PRESENT
from hikflask.models.terminal import GROUP_DEPARTMENTS, GROUP_EMPLOYEES, GROUP_TERMINALS
from hikflask.services.core import shown
from hikflask.services.enrolments import mass_removals
from hikflask.services.enrolments.mass_removals import Confirmation, Loss, Losses, Pair

PRESENT_THERE = and_(Enrolment.desired == PRESENT, Enrolment.terminal_id == Terminal.id)


@dataclass(frozen=True)
class Scope:
    """Which employees and terminals are looked at; None: all.

    With `department_id` the employees are looked at as if they were in that department (0: in none with a group).
    """

    people: Select[Any] | None = None
    terminal_ids: Collection[int] | None = None
    department_id: int | None = None


@dataclass(frozen=True)
class Difference:
    """How many employees get a terminal and how many lose it, and how many are desired on it now."""

    terminal: Terminal
    gets: int
    loses: int
    people: int


@dataclass(frozen=True)
class Differences:
    """What changes at each terminal; `losers` are the employees who lose one or more.

    `digest` names who gets and loses what, see services/core/shown.py; it is empty when nothing changes.
    """

    terminals: tuple[Difference, ...] = ()
    losers: int = 0
    digest: str = ""

    def __bool__(self) -> bool:
        """True when something changes."""
        return bool(self.terminals)

    @property
    def losses(self) -> Losses:
        """Who loses access through it."""
        loses = [difference for difference in self.terminals if difference.loses]
        terminals = [Loss(row.terminal.id, row.terminal.name, row.loses, row.people) for row in loses]
        return Losses(tuple(terminals), self.losers)

    def require_agreed(self, digest: str | None, agreed: Confirmation) -> None:
        """Refuse a change that differs from what was shown, or that takes access from many without confirmation.

        :param digest: that of the differences that a page showed, or ""; None for a program, which is shown nothing.
        :raises PlanChanged: :raises AdministratorNeeded: :raises UnsafePlan: as Losses.require().
        """
        if digest is not None:
            shown.require_same(digest, self.digest)
        self.losses.require(agreed)


def count(scope: Scope) -> Differences:
    """Count what changes, in the order of the terminals' names."""
    gets, loses = _pairs(_gets(scope)), _pairs(_loses(scope))
    if not gets and not loses:
        return Differences()
    got, lost = (Counter(terminal_id for _, terminal_id in pairs) for pairs in (gets, loses))
    here = select(Terminal).where(Terminal.id.in_(got.keys() | lost.keys())).order_by(Terminal.name)
    terminals = tuple(
        Difference(terminal, got[terminal.id], lost[terminal.id], mass_removals.count_present(terminal.id))
        for terminal in db.session.execute(here).scalars()
    )
    return Differences(terminals, len({employee_id for employee_id, _ in loses}), shown.digest(gets, loses))


def losing(scope: Scope) -> set[Pair]:
    """Return employees and the terminals that they lose."""
    return set(_pairs(_loses(scope)))


def employees(scope: Scope) -> list[tuple[str, int]]:
    """Return number and id of each employee for whom something changes."""
    gets, loses = _gets(scope).subquery(), _loses(scope).subquery()
    meant = union(select(gets.c.employee_id), select(loses.c.employee_id)).subquery()
    rows = select(Employee.number, Employee.id).where(Employee.id.in_(select(meant.c.employee_id)))
    return [(number, employee_id) for number, employee_id in db.session.execute(rows.order_by(Employee.id))]


def lacking(numbers: Collection[str]) -> set[str]:
    """Return those of these numbers whose employees are not desired on all terminals that groups ask for."""
    meant = select(Employee.id).where(Employee.number.in_(numbers))
    gets = _gets(Scope(meant)).subquery()
    rows = select(Employee.number).where(Employee.id.in_(select(gets.c.employee_id)))
    return set(db.session.execute(rows).scalars())


def _pairs(statement: Select[Any, int]) -> list[tuple[int, int]]:
    """Return the ids of employees and terminals, sorted."""
    return sorted((employee_id, terminal_id) for employee_id, terminal_id in db.session.execute(statement))


def _gets(scope: Scope) -> Select[int, int]:
    """Select employee and terminal where a group asks for somebody who is not desired there."""
    granted = _granted(scope)
    is_there = select(Enrolment.id).where(PRESENT_THERE, Enrolment.number == Employee.number).exists()
    return (
        select(Employee.id.label("employee_id"), Terminal.id.label("terminal_id"))
        .join_from(granted, Employee, Employee.id == granted.c.employee_id)
        .join(Terminal, Terminal.id == granted.c.terminal_id)
        .where(Employee.is_active, Terminal.is_active, ~is_there)
    )


def _granted(scope: Scope) -> Subquery:
    """Select employee and terminal where a group asks for somebody, by the department or alone."""
    by_department = select(Employee.id.label("employee_id"), GROUP_TERMINALS.c.terminal_id).join(
        GROUP_TERMINALS, GROUP_TERMINALS.c.group_id.in_(_groups_of_department(scope))
    )
    alone = select(GROUP_EMPLOYEES.c.employee_id, GROUP_TERMINALS.c.terminal_id).join(
        GROUP_TERMINALS, GROUP_TERMINALS.c.group_id == GROUP_EMPLOYEES.c.group_id
    )
    if scope.department_id is None:
        by_department = (
            select(Employee.id.label("employee_id"), GROUP_TERMINALS.c.terminal_id)
            .join(Department, Department.name == Employee.department)
            .join(GROUP_DEPARTMENTS, GROUP_DEPARTMENTS.c.department_id == Department.id)
            .join(GROUP_TERMINALS, GROUP_TERMINALS.c.group_id == GROUP_DEPARTMENTS.c.group_id)
        )
    if scope.people is not None:
        by_department = by_department.where(Employee.id.in_(scope.people))
        alone = alone.where(GROUP_EMPLOYEES.c.employee_id.in_(scope.people))
    if scope.terminal_ids is not None:
        here = GROUP_TERMINALS.c.terminal_id.in_(scope.terminal_ids)
        by_department, alone = by_department.where(here), alone.where(here)
    return union(by_department, alone).subquery()


def _groups_of_department(scope: Scope) -> Select[int]:
    return select(GROUP_DEPARTMENTS.c.group_id).where(GROUP_DEPARTMENTS.c.department_id == scope.department_id)


def _loses(scope: Scope) -> Select[int | None, int]:
    """Select employee and terminal where somebody is desired because of a group, and no group asks any more."""
    statement = (
        select(Enrolment.employee_id, Enrolment.terminal_id)
        .join(Employee, Employee.id == Enrolment.employee_id)
        .where(Enrolment.desired == PRESENT, Enrolment.by_group, ~_is_granted(scope))
    )
    if scope.people is not None:
        statement = statement.where(Enrolment.employee_id.in_(scope.people))
    return statement if scope.terminal_ids is None else statement.where(Enrolment.terminal_id.in_(scope.terminal_ids))


def _is_granted(scope: Scope) -> ColumnElement[bool]:
    here = GROUP_TERMINALS.c.terminal_id == Enrolment.terminal_id
    theirs = select(GROUP_EMPLOYEES.c.group_id).where(GROUP_EMPLOYEES.c.employee_id == Enrolment.employee_id)
    theirs = theirs.correlate(Enrolment)  # Which is two queries further out.
    alone = select(GROUP_TERMINALS.c.group_id).where(here, GROUP_TERMINALS.c.group_id.in_(theirs)).exists()
    if scope.department_id is not None:
        groups = _groups_of_department(scope)
    else:
        groups = (
            select(GROUP_DEPARTMENTS.c.group_id)
            .join(Department, Department.id == GROUP_DEPARTMENTS.c.department_id)
            .where(Department.name == Employee.department)
            .correlate(Employee)
        )
    by_department = select(GROUP_TERMINALS.c.group_id).where(here, GROUP_TERMINALS.c.group_id.in_(groups)).exists()
    return and_(Employee.is_active, or_(alone, by_department))
