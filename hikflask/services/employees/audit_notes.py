"""Writes the audit entries about employees, within the caller's transaction."""

from hikflask.models import Capture, Employee, Photo
from hikflask.services import audit

ALWAYS_SHOWN = ("number", "name", "department")


def facts(employee: Employee) -> dict[str, str]:
    """Return the fields of an employee for `before` and `after` of an audit entry."""
    return {
        "full_name" if name == "name" else name: value
        for name, value in employee.typed().items()
        if value or name in ALWAYS_SHOWN
    }


def record_change(employee: Employee, before: dict[str, str]) -> None:
    """Record a change of an employee, if there is one. A new number gets a second entry, found by the old number."""
    after = facts(employee)
    if after == before:
        return
    audit.record("employee.changed", employee=employee, before=before, after=after)
    if employee.number != before["number"]:
        old, new = before["number"], employee.number
        audit.record(
            "employee.renumbered", employee_id=employee.id, number=old, before={"number": old}, after={"number": new}
        )


def record_photo(employee: Employee, photo: Photo, capture: Capture | None) -> None:
    """Record that the employee has another photo, and the capture that it came from."""
    if capture:
        audit.record("capture.used", employee=employee, terminal=capture.terminal.name, subject=photo.file)
    audit.record("employee.photo_changed", employee=employee, subject=photo.file, after={"source": photo.source})


def record_take_over(employee: Employee, capture: Capture) -> None:
    """Record that an operator saved a picture that another operator had requested.

    A picture that was meant for another number gets an entry under that number, too. The entry has no name: the number
    may have been mistyped, and then an erasure of the employee would not find it.
    """
    action, terminal = "capture.saved_by_another", capture.terminal.name
    before = {"requested_by": capture.requested_by}
    after = {"number": employee.number, "full_name": employee.name}
    if capture.draft_number == employee.number:
        before |= {"number": employee.number, "full_name": capture.draft_name}
    elif capture.draft_number:
        audit.record(action, number=capture.draft_number, terminal=terminal, before=before)
    audit.record(action, employee=employee, terminal=terminal, before=before, after=after)
