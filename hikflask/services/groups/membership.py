"""Finds on which terminals groups ask for an employee, and makes the desired state so, in the caller's transaction."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import BindParameter, Integer, Select, String, bindparam, delete, insert, or_, select

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Photo, Terminal, TerminalGroup
from hikflask.models.terminal import BY_URL, GROUP_EMPLOYEES, GROUP_TERMINALS
from hikflask.services import audit
from hikflask.services.core.db import changed_rows
from hikflask.services.core.errors import ServiceError
from hikflask.services.departments import registry as departments
from hikflask.services.enrolments import desired, queries
from hikflask.services.groups import locks
from hikflask.services.groups import queries as groups


@dataclass(frozen=True)
class Changes:
    """The terminals that an employee gets and loses by groups.

    `refused` are terminals that the employee cannot be desired on, such as one that cannot show even one letter of the
    name.
    """

    gets: tuple[Terminal, ...] = ()
    loses: tuple[Terminal, ...] = ()
    refused: tuple[Terminal, ...] = ()

    def __bool__(self) -> bool:
        """True when something changes."""
        return bool(self.gets or self.loses)


def terminals_of(employee: Employee) -> list[Terminal]:
    """Return the terminals on which groups ask for an employee, by the department or alone, active or not."""
    given = {"department": employee.department, "employee_id": employee.id}
    return list(db.session.execute(GRANTED, given).scalars())


def groups_of(employee_id: int | None) -> list[int]:
    """Return the ids of the groups that an employee belongs to alone."""
    return list(db.session.execute(groups.alone_of(employee_id or 0).order_by(GROUP_EMPLOYEES.c.group_id)).scalars())


def apply(employee: Employee) -> Changes:
    """Mark an employee, whose row is locked, as desired where groups ask for it, and nowhere else because of groups.

    A desired state set by hand stays. An inactive employee gets nothing. A face that another terminal captured goes to
    terminals that take pictures only.

    :raises number_leaving: when an earlier owner of the number may still open doors.
    """
    return _apply(employee, give=True)


def withdraw(employee: Employee) -> Changes:
    """Mark an employee, whose row is locked, as absent where no group asks any more; give no terminal."""
    return _apply(employee, give=False)


def ignore(employee: Employee) -> Changes:  # noqa: ARG001 - as the others
    """Give and take no terminal: for a save that concerns one terminal alone."""
    return Changes()


def change_groups(employee: Employee, group_ids: Collection[int]) -> bool:
    """Replace the groups that an employee belongs to alone; False when nothing changes. Unknown ids are ignored."""
    locks.share()
    before, after = _names(groups_of(employee.id)), _names(group_ids)
    if before == after:
        return False
    changed_rows(delete(GROUP_EMPLOYEES).where(GROUP_EMPLOYEES.c.employee_id == employee.id))
    for group_id in sorted(after):
        db.session.execute(insert(GROUP_EMPLOYEES).values(group_id=group_id, employee_id=employee.id))
    record_change(employee, ", ".join(before.values()), ", ".join(after.values()))
    return True


def record_change(employee: Employee, before: str, after: str) -> None:
    """Write to the audit trail that an employee belongs to other groups alone."""
    audit.record("employee.groups_changed", employee=employee, before={"groups": before}, after={"groups": after})


def changes(employee: Employee | None, department: str, group_ids: Collection[int] | None) -> Changes:
    """Return what apply() would change for an employee, or for a new one (None), with this department and groups.

    :param group_ids: the groups that the employee would belong to alone; None: the current ones.
    """
    if employee is not None and not employee.is_active:
        return Changes()
    alone = groups_of(employee.id if employee else None) if group_ids is None else list(group_ids)
    granting = _granting(departments.find(department) or department, alone)
    granted = list(db.session.execute(granting).scalars())
    return _difference(queries.desired_of(employee.number) if employee else [], granted)


def _apply(employee: Employee, *, give: bool) -> Changes:
    locks.share()
    granted = terminals_of(employee) if employee.is_active else []
    present = queries.desired_of(employee.number, lock=True)
    changes = _difference(present, granted)
    for enrolment in present:
        if enrolment.terminal in changes.loses:
            desired.desire_absent_at(enrolment, employee)
    if not give or not changes.gets:
        return Changes(loses=changes.loses)
    desired.refuse_leaving(queries.of_number(employee.number), employee.id)
    photo = db.session.get(Photo, employee.photo_id) if employee.photo_id else None
    gets, refused = [], []
    for terminal in changes.gets:
        # A terminal that takes only its own captures gets no other photo; the person waits for a capture there.
        is_own = terminal.face_mode != BY_URL or (photo and photo.capture and photo.capture.terminal_id == terminal.id)
        try:
            desired.desire_present(terminal, employee, photo if is_own else None, by_group=True)
            gets.append(terminal)
        except ServiceError as error:
            audit.record("enrolment.refused", employee=employee, terminal=terminal.name, after={"reason": error.code})
            refused.append(terminal)
    return Changes(tuple(gets), changes.loses, tuple(refused))


def _difference(present: list[Enrolment], granted: list[Terminal]) -> Changes:
    """Compare where an employee is desired with where groups ask for the employee.

    A terminal that is not in use gets nobody; an employee who is desired there already stays so while a group asks.
    """
    on, wanted = {row.terminal_id for row in present}, {terminal.id for terminal in granted}
    gets = [terminal for terminal in granted if terminal.is_active and terminal.id not in on]
    loses = [row.terminal for row in present if row.by_group and row.terminal_id not in wanted]
    return Changes(tuple(gets), tuple(loses))


def _granting(department: str | BindParameter[str], group_ids: Collection[int] | Select[int]) -> Select[Terminal]:
    by_department = groups.of_department(department)
    in_groups = select(GROUP_TERMINALS.c.terminal_id).where(
        or_(GROUP_TERMINALS.c.group_id.in_(by_department), GROUP_TERMINALS.c.group_id.in_(group_ids))
    )
    statement = select(Terminal).where(Terminal.id.in_(in_groups), Terminal.retired_at.is_(None))
    return statement.order_by(Terminal.name).execution_options(populate_existing=True)


# Made once: to make a statement costs more than to run it.
GRANTED = _granting(bindparam("department", type_=String), groups.alone_of(bindparam("employee_id", type_=Integer)))


def _names(group_ids: Collection[int]) -> dict[int, str]:
    """Return the names of groups by id, sorted by name."""
    statement = select(TerminalGroup.id, TerminalGroup.name).where(TerminalGroup.id.in_(group_ids))
    return {row.id: row.name for row in db.session.execute(statement.order_by(TerminalGroup.name))}
