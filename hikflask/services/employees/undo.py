"""Undoes by facts what a change wrote to one employee, within one transaction of the caller's.

A change is undone where the facts are those that it wrote. Where somebody worked on since, they stay.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import bindparam, select

from hikflask.employee_fields import FORM_NAMES
from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Photo
from hikflask.models.enrolment import PRESENT
from hikflask.services import audit
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.db import locked_employee
from hikflask.services.core.errors import PhotoForgotten, ServiceError
from hikflask.services.employees import audit_notes
from hikflask.services.employees.lifecycle import apply_active, delete_again
from hikflask.services.employees.save import save_changes
from hikflask.services.groups import membership
from hikflask.services.photos import storage

ACTIVE, PHOTO, ENROLMENTS = "is_active", "photo", "enrolments"
# Of an employee: what is typed, ACTIVE, PHOTO, and ENROLMENTS. A change may know some of them only.
EmployeeFacts = dict[str, Any]
# Terminal, photo, and whether a group asked for it, of the enrolments that are desired present.
Desired = list[list[Any]]
# Made once: to make a statement costs more than to run it.
DESIRED = (
    select(Enrolment.terminal_id, Enrolment.photo_id, Enrolment.by_group)
    .where(Enrolment.number == bindparam("number"), Enrolment.desired == PRESENT)
    .order_by(Enrolment.terminal_id)
)


def facts(employee: Employee) -> EmployeeFacts:
    """Return the facts of an employee, within the caller's transaction."""
    return {**_own_facts(employee), ENROLMENTS: desired_enrolments(employee)}


def desired_enrolments(employee: Employee) -> Desired:
    """Return the terminals that an employee is desired on, within the caller's transaction."""
    return [list(row) for row in db.session.execute(DESIRED, {"number": employee.number})]


def _own_facts(employee: Employee) -> EmployeeFacts:
    return {**employee.typed(), "id": employee.id, ACTIVE: employee.is_active, PHOTO: employee.photo_id}


def is_untouched(employee: Employee, written: EmployeeFacts) -> bool:
    """True while an employee has what a change wrote; the terminals are not asked for."""
    return all(value == written[name] for name, value in _own_facts(employee).items() if name in written)


def undo(
    employee_id: int, before: EmployeeFacts | None, written: EmployeeFacts, at_terminals: Callable[[Employee], None]
) -> None:
    """Give back what was there before a change; whoever came in by it (`before` is None) is deleted again.

    :param at_terminals: restores the enrolments.
    :raises changed_since: :raises employee_unknown: when deleted meanwhile.
    :raises PhotoForgotten: :raises ServiceError: as restore().
    """
    employee = locked_employee(employee_id)
    require_same(employee, written)
    if before is not None:
        restore(employee, before, written)
    at_terminals(employee)
    if before is None:
        delete_again(employee)
    else:
        # The department may have another spelling now.
        require_same(employee, before)


def require_same(employee: Employee, expected: EmployeeFacts) -> None:
    """Refuse to go on where the facts are others than a change wrote, or than were there before it.

    :raises changed_since:
    """
    if not is_untouched(employee, expected) or desired_enrolments(employee) != expected[ENROLMENTS]:
        raise ServiceError("changed_since")


def restore(employee: Employee, before: EmployeeFacts, written: EmployeeFacts) -> None:
    """Give back to an employee what was there before a change, except for the terminals.

    :raises PhotoForgotten: when the former photo is deleted. :raises ServiceError: as a save does.
    """
    fields = {name for name in FORM_NAMES if name in before and before[name] != written[name]}
    if fields:
        draft = Draft(**{name: before[name] for name in fields})
        save_changes(draft, storage.Files(), employee_id=employee.id, fields=fields, by_groups=membership.ignore)
    if before.get(ACTIVE) and not written[ACTIVE]:
        apply_active(employee, active=True, enrol=False)
    if PHOTO in before and before[PHOTO] != written[PHOTO]:
        _restore_photo(employee, before[PHOTO])


def _restore_photo(employee: Employee, photo_id: int | None) -> None:
    photo = kept_photo(photo_id)
    employee.photo_id = photo_id
    db.session.flush()
    db.session.refresh(employee)
    if photo:
        audit_notes.record_photo(employee, photo, None)
    else:
        audit.record("employee.photo_changed", employee=employee, after={"source": ""})


def kept_photo(photo_id: int | None) -> Photo | None:
    """Return a former photo, which still has its file. :raises PhotoForgotten:"""
    if photo_id is None:
        return None
    photo = db.session.get(Photo, photo_id, populate_existing=True)
    if photo is None or photo.forgotten_at or storage.path_of(photo) is None:
        raise PhotoForgotten
    return photo
