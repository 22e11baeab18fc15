"""Deactivates, activates and deletes employees, moves an employee to a department or to another terminal, too."""

from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from sqlalchemy import ColumnElement, and_, func, select, update

from hikflask.extensions import db
from hikflask.models import Capture, Card, Consent, Employee, Enrolment, Photo, Terminal
from hikflask.models.columns import database_now
from hikflask.services import audit
from hikflask.services.core import dates
from hikflask.services.core.db import (
    Require,
    after_commit,
    changed_rows,
    locked_employee,
    locked_with_number,
    transactional,
)
from hikflask.services.core.errors import ServiceError
from hikflask.services.departments import registry as departments
from hikflask.services.employees import audit_notes
from hikflask.services.enrolments import desired, queries
from hikflask.services.enrolments.desired import desire_absent, desire_present
from hikflask.services.enrolments.reconcile_now import ChangedRow, due_of
from hikflask.services.groups import locks, membership
from hikflask.services.groups.membership import Changes
from hikflask.services.photos import deletion
from hikflask.services.state import enrolment as state
from hikflask.services.terminals import registry

# The most employees whose validity is over that one pass of the sweep deactivates.
EXPIRED_AT_ONCE = 200


@dataclass(frozen=True)
class Deleted:
    """The rest of a deletion: the files to remove, and the ids of the enrolments to remove from terminals."""

    files: list[str]
    removals: tuple[int, ...]


@transactional
def set_active(employee_id: int, active: bool, require: Require | None = None) -> ChangedRow[Employee]:
    """Deactivate an employee and start the removal from every terminal, or activate and enrol the employee again.

    After an activation, every face must be confirmed again.

    :param require: is called once the row is locked, and raises when nothing is to be done.
    :raises employee_unknown: when there is no such employee. :raises validity_over: as apply_active().
    """
    employee = locked_employee(employee_id)
    if require:
        require()
    apply_active(employee, active)
    return ChangedRow(employee, due_of(employee.number))


def apply_active(employee: Employee, active: bool, *, enrol: bool = True) -> None:
    """Activate or deactivate within the caller's transaction, which has locked the employee's row.

    :param enrol: False: an activated employee is desired on no terminal; the caller decides on which.
    :raises validity_over: when an activated employee's last day is past.
    """
    if active and not employee.is_active:
        desired.refuse_over(employee)
    if active != employee.is_active:
        audit.record("employee.activated" if active else "employee.deactivated", employee=employee)
    returns, employee.is_active = active and not employee.is_active, active
    left_at_before = db.session.execute(select(Employee.left_at).where(Employee.id == employee.id)).scalar_one()
    # A second deactivation keeps the first time.
    left_at = None if active else func.coalesce(Employee.left_at, database_now())
    changed_rows(update(Employee).where(Employee.id == employee.id).values(left_at=left_at))
    if returns and enrol:
        locks.share()
        # The terminals that the deactivation removed the employee from, not those left earlier. One that a group gave
        # counts only if a group still does.
        for enrolment in _of_return(employee, left_at_before, lock=True):
            photo = db.session.get(Photo, enrolment.photo_id) if enrolment.photo_id else None
            desire_present(enrolment.terminal, employee, photo, by_group=enrolment.by_group)
        membership.apply(employee)
    elif not active:
        desire_absent(employee.number)


def deactivate_expired() -> int:
    """Deactivate employees whose last day is past, some at a time, and return how many.

    Each is one transaction that locks the row first, so several workers may do this at once.
    """
    is_over = and_(Employee.is_active, Employee.valid_to < dates.today())
    some = select(Employee.id).where(is_over).order_by(Employee.valid_to).limit(EXPIRED_AT_ONCE)
    over = db.session.execute(some).scalars().all()
    return sum(_deactivate_expired(employee_id, is_over) for employee_id in over)


@transactional
def _deactivate_expired(employee_id: int, is_over: ColumnElement[bool]) -> bool:
    """Return False when another worker was faster, or the last day was changed meanwhile."""
    lock = update(Employee).where(Employee.id == employee_id, is_over).values(is_active=Employee.is_active)
    is_locked = changed_rows(lock) == 1
    if is_locked:
        employee = db.session.get_one(Employee, employee_id, populate_existing=True)
        audit.record("employee.validity_over", employee=employee, after={"valid_to": str(employee.valid_to)})
        apply_active(employee, active=False)
        state.apply(state.PUT_IN_BULK, Enrolment.number == employee.number)
    return is_locked


def terminals_of_return(employee: Employee) -> list[Terminal]:
    """Return the terminals that an activation would enrol the employee on, by name."""
    removed = [enrolment.terminal for enrolment in _of_return(employee, employee.left_at)]
    return sorted({*removed, *membership.terminals_of(employee)}, key=attrgetter("name"))


def _of_return(employee: Employee, left_at: datetime | None, *, lock: bool = False) -> list[Enrolment]:
    granted = {terminal.id for terminal in membership.terminals_of(employee)}
    returning = []
    for enrolment in queries.of_number(employee.number, lock=lock):
        earlier = left_at and enrolment.desired_since and enrolment.desired_since < left_at
        is_withdrawn = enrolment.by_group and enrolment.terminal_id not in granted
        if enrolment.terminal.retired_at is None and not earlier and not is_withdrawn:
            returning.append(enrolment)
    return returning


@transactional
def send_to_terminal(employee_id: int, terminal_id: int) -> ChangedRow[Enrolment]:
    """Mark an employee as desired on one more terminal, with the current photo.

    :raises terminal_unknown: when it is not an active terminal. :raises employee_inactive: when deactivated.
    :raises validity_over: when the employee's last day is past.
    :raises NameTooLong: when not one letter of the name fits on the terminal.
    :raises number_leaving: when an earlier owner of the number may still open doors.
    :raises employee_unknown: when there is no such employee.
    """
    employee = locked_employee(employee_id)
    terminal = registry.active(terminal_id)
    if not employee.is_active:
        raise ServiceError("employee_inactive")
    desired.refuse_leaving(queries.of_number(employee.number), employee.id)
    enrolment = desire_present(terminal, employee, employee.photo)
    return ChangedRow(enrolment, (enrolment.id,))


def apply_department(employee: Employee, department: str) -> Changes:
    """Set the department within the caller's transaction, which has locked the employee's row.

    Return the terminals that groups give and take by it.

    :raises number_leaving: when a group gives a terminal while an earlier owner of the number may still open doors.
    """
    before = audit_notes.facts(employee)
    employee.department = departments.resolve(department)
    db.session.flush()
    audit_notes.record_change(employee, before)
    return membership.apply(employee)


@transactional
def delete_employee(employee_id: int) -> ChangedRow[Employee]:
    """Delete an employee with all photos; the removals from terminals stay open. :raises employee_unknown:"""
    employee = locked_with_number(employee_id)
    deleted = apply_deleted(employee)
    after_commit(lambda: deletion.remove_at_once(deleted.files))
    return ChangedRow(employee, deleted.removals)


def delete_again(employee: Employee) -> None:
    """Delete an employee who was added a while ago, within the caller's transaction, which has locked both.

    :raises changed_since: when somebody recorded a consent, gave a card, took a picture, saved another photo or
        deactivated since.
    """
    consent = select(Consent.id).where(Consent.employee_id == employee.id)
    photos = select(Photo.id).where(Photo.employee_id == employee.id, Photo.id != (employee.photo_id or 0))
    added_at = select(Employee.created_at).where(Employee.id == employee.id).scalar_subquery()
    cards = select(Card.id).where(Card.employee_id == employee.id)
    captures = select(Capture.id).where(Capture.draft_number == employee.number, Capture.created_at >= added_at)
    has_more = any(db.session.execute(later.limit(1)).first() for later in (consent, photos, cards, captures))
    if employee.terminal_name or not employee.is_active or has_more:
        raise ServiceError("changed_since")
    apply_deleted(employee)


def apply_deleted(employee: Employee) -> Deleted:
    """Delete an employee within the caller's transaction, which has locked the number and the employee.

    The worker removes the files, unless the caller does after the commit.
    """
    locks.share()
    desire_absent(employee.number)
    left = queries.of_person(employee.number, employee.id, lock=True)
    desired.doubt_old_removals(employee, left)
    state.apply(state.EMPLOYEE_DELETED, Enrolment.id.in_([enrolment.id for enrolment in left]))
    for enrolment in left:
        db.session.refresh(enrolment)
        if enrolment.is_confirmed:
            db.session.delete(enrolment)
    employee.photo_id = None
    db.session.flush()
    files = deletion.forget_all_of(employee.id)
    audit.record("employee.deleted", employee=employee, before=audit_notes.facts(employee))
    db.session.delete(employee)
    db.session.flush()
    return Deleted(files, tuple(enrolment.id for enrolment in left if not enrolment.is_confirmed))
