"""Finds on which terminals groups ask for an employee, and makes the desired state so, in the caller's transaction."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Select, delete, insert, or_, select

from hikflask.extensions import db
from hikflask.models import Department, Employee, Enrolment, Photo, Terminal, TerminalGroup
from hikflask.models.terminal import BY_URL
from hikflask.models.terminal_group import GROUP_DEPARTMENTS, GROUP_EMPLOYEES, GROUP_TERMINALS
from hikflask.services import audit
from hikflask.services.core.db import changed_rows
from hikflask.services.core.errors import ServiceError
from hikflask.services.departments import registry as departments
from hikflask.services.enrolments import desired, queries
from hikflask.services.groups import locks


@dataclass(frozen=True)
class Changes:
    """The terminals that somebody gets by groups and those that somebody loses.

    `refused` are terminals that the employee cannot be desired on, such as one that cannot show even one letter of the
    name: they are left out, and the others are not.
    """

    gets: tuple[Terminal, ...] = ()
    loses: tuple[Terminal, ...] = ()
    refused: tuple[Terminal, ...] = ()

    def __bool__(self) -> bool:
        """True when something changes."""
        return bool(self.gets or self.loses)


def terminals_of(employee: Employee) -> list[Terminal]:
    """Return the terminals on which groups ask for an employee, by the department or alone, active or not."""
    return _asked(employee.department, _alone(employee.id))


def groups_of(employee_id: int | None) -> list[int]:
    """Return the ids of the groups that an employee belongs to alone."""
    return list(db.session.execute(_alone(employee_id or 0).order_by(GROUP_EMPLOYEES.c.group_id)).scalars())


def _alone(employee_id: int) -> Select[int]:
    return select(GROUP_EMPLOYEES.c.group_id).where(GROUP_EMPLOYEES.c.employee_id == employee_id)


def apply(employee: Employee) -> Changes:
    """Desire an employee, whose row the caller has locked, where groups ask for it, and nowhere else because of groups.

    A wish made by hand stays. Somebody inactive gets nothing. The face of another terminal goes only to those that take
    pictures; at others the person waits for a capture there.

    :raises number_leaving: when an earlier owner of the number may still open doors.
    """
    return _apply(employee, give=True)


def withdraw(employee: Employee) -> Changes:
    """Take an employee, whose row the caller has locked, from where no group asks for it any more; give nothing."""
    return _apply(employee, give=False)


def stay(employee: Employee) -> Changes:  # noqa: ARG001 - as the others
    """Give and take nothing: what is saved has to do with one terminal alone."""
    return Changes()


def change_groups(employee: Employee, group_ids: Collection[int]) -> bool:
    """Let an employee belong to these groups alone, and to no others; False when it is so already. Unknown ones are
    left out.
    """
    locks.share()
    known = {group.id: group.name for group in _groups(group_ids)}
    before = groups_of(employee.id)
    if set(before) == known.keys():
        return False
    names = ", ".join(group.name for group in _groups(before))
    changed_rows(delete(GROUP_EMPLOYEES).where(GROUP_EMPLOYEES.c.employee_id == employee.id))
    for group_id in sorted(known):
        db.session.execute(insert(GROUP_EMPLOYEES).values(group_id=group_id, employee_id=employee.id))
    note_changed(employee, names, ", ".join(sorted(known.values())))
    return True


def note_changed(employee: Employee, before: str, after: str) -> None:
    """Write to the audit trail that an employee belongs to other groups alone."""
    audit.record("employee.groups_changed", employee=employee, before={"groups": before}, after={"groups": after})


def changes(employee: Employee | None, department: str, group_ids: Collection[int] | None) -> Changes:
    """Return what apply() would change for an employee, or for a new one (None), with this department and groups.

    :param group_ids: the groups that the employee would belong to alone; None: the present ones.
    """
    if employee is not None and not employee.is_active:
        return Changes()
    alone = groups_of(employee.id if employee else None) if group_ids is None else list(group_ids)
    asked = _asked(departments.find(department) or department, alone)
    return _difference(queries.desired_of(employee.number) if employee else [], asked)


def _apply(employee: Employee, *, give: bool) -> Changes:
    locks.share()
    asked = terminals_of(employee) if employee.is_active else []
    present = queries.desired_of(employee.number, lock=True)
    found = _difference(present, asked)
    for enrolment in present:
        if enrolment.terminal in found.loses:
            desired.desire_absent_at(enrolment, employee)
    if not give or not found.gets:
        return Changes(loses=found.loses)
    desired.refuse_while_leaving(employee.number, employee.id)
    photo = db.session.get(Photo, employee.photo_id) if employee.photo_id else None
    refused = [terminal for terminal in found.gets if not _give(employee, terminal, photo)]
    return Changes(tuple(one for one in found.gets if one not in refused), found.loses, tuple(refused))


def _give(employee: Employee, terminal: Terminal, photo: Photo | None) -> bool:
    """Desire an employee on one terminal; False when it is refused, as when not one letter of the name fits there."""
    try:
        desired.desire_present(terminal, employee, _photo_for(terminal, photo), by_group=True)
    except ServiceError as error:
        audit.record("enrolment.refused", employee=employee, terminal=terminal.name, after={"reason": error.code})
        return False
    return True


def _photo_for(terminal: Terminal, photo: Photo | None) -> Photo | None:
    """Return the photo that a terminal gets. One that takes only its own capture gets no other; the person waits."""
    if photo is None or terminal.face_mode != BY_URL:
        return photo
    return photo if photo.capture is not None and photo.capture.terminal_id == terminal.id else None


def _difference(present: list[Enrolment], asked: list[Terminal]) -> Changes:
    """Compare where an employee is desired with where groups ask for the employee.

    A terminal that is not in use gets nobody, but who is desired there stays so while a group asks.
    """
    on, wanted = {one.terminal_id for one in present}, {terminal.id for terminal in asked}
    gets = [terminal for terminal in asked if terminal.is_active and terminal.id not in on]
    loses = [one.terminal for one in present if one.by_group and one.terminal_id not in wanted]
    return Changes(tuple(gets), tuple(loses))


def _asked(department: str, group_ids: Collection[int] | Select[int]) -> list[Terminal]:
    by_department = (
        select(GROUP_DEPARTMENTS.c.group_id)
        .join(Department, Department.id == GROUP_DEPARTMENTS.c.department_id)
        .where(Department.name == department)
    )
    in_groups = select(GROUP_TERMINALS.c.terminal_id).where(
        or_(GROUP_TERMINALS.c.group_id.in_(by_department), GROUP_TERMINALS.c.group_id.in_(group_ids))
    )
    statement = select(Terminal).where(Terminal.id.in_(in_groups), Terminal.retired_at.is_(None))
    found = db.session.execute(statement.order_by(Terminal.name), execution_options={"populate_existing": True})
    return list(found.scalars())


def _groups(group_ids: Collection[int]) -> list[TerminalGroup]:
    statement = select(TerminalGroup).where(TerminalGroup.id.in_(group_ids)).order_by(TerminalGroup.name)
    return list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())
