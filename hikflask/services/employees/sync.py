"""Prepares the sync of an employee to a terminal: finds terminal and photo, and writes the desired state."""

from hikflask.extensions import db
from hikflask.models import Capture, Employee, Enrolment, Terminal
from hikflask.models.capture import SUPERSEDED
from hikflask.models.enrolment import PRESENT
from hikflask.services.captures import queries as captures
from hikflask.services.core.db import locked_employee, transactional, write_columns
from hikflask.services.core.errors import CaptureSuperseded, ServiceError
from hikflask.services.employees import audit_notes
from hikflask.services.enrolments import desired, queries
from hikflask.services.enrolments.desired import refuse_long_name
from hikflask.services.enrolments.reconcile_now import ChangedRow, due_of
from hikflask.services.photos import storage
from hikflask.services.privacy import consents
from hikflask.services.state import capture as capture_state
from hikflask.services.terminals import registry


def sync_employee(
    employee_id: int, terminal_id: int | None, requested_by: str, *, photo_path: str = "", overwrite: bool = False
) -> ChangedRow[Enrolment]:
    """Write the desired state and return the enrolment, which the caller reconciles.

    The caller's newest unsaved capture there, for this number or without a number, becomes the employee's photo, and
    the employee's other terminals that take pictures are to get it, too: `due` has them besides.

    :param terminal_id: None means the capture's terminal, or else the only active terminal.
    :param photo_path: the capture that is meant, by the path of its answer; "" means the newest one.
    :param overwrite: remove a person who has the number on the terminal under another name.
    :raises employee_unknown: when the employee was deleted meanwhile. :raises employee_inactive: when deactivated.
    :raises NameTooLong: when not one letter of the name fits on the terminal. :raises number_leaving: when an earlier
        owner of the number may still open doors.
    :raises CaptureSuperseded: when the terminal's file does not hold the captured face any more.
    :raises capture_not_named: when several could be meant. :raises capture_unknown: when `photo_path` is of none.
    :raises not_saved: when the picture was deleted meanwhile. :raises file_gone: when its file is gone.
    :raises terminal_unknown: when the terminal is unknown, or none is active.
    :raises terminal_not_named: when several are active, and neither `terminal_id` nor a capture names one.
    :raises consent_missing: when a consent is required and none is recorded.
    """

    @transactional
    def synced() -> ChangedRow[Enrolment]:
        employee = locked_employee(employee_id)
        # Read now: until the end the employee keeps the number.
        there = queries.of_number(employee.number)
        if photo_path:
            capture = captures.unsaved_of_path(photo_path, terminal_id, employee, requested_by)
        else:
            capture = _newest(terminal_id, employee.number, requested_by, there)
        changed = _written(terminal_id, employee, capture, files, there)
        if overwrite:
            desired.desire_overwrite(changed.row.id)
        return changed

    with storage.Files() as files:
        return synced()


def _newest(terminal_id: int | None, number: str, requested_by: str, there: list[Enrolment]) -> Capture | None:
    """Return the capture to adopt, or None. One without a number never replaces a confirmed face.

    :raises capture_not_named: when it could replace a face that is on its way: it may be somebody else's.
    """
    capture = captures.latest_unsaved(terminal_id, number, requested_by)
    if capture is None or capture.draft_number == number:
        return capture
    there = [row for row in there if terminal_id in {None, row.terminal_id}]
    if any(row.is_confirmed for row in there if row.terminal_id == capture.terminal_id):
        return None
    if any(row.desired == PRESENT and row.photo_id and row.next_attempt_at for row in there):
        raise ServiceError("capture_not_named")
    return capture


def _written(
    terminal_id: int | None, employee: Employee, capture: Capture | None, files: storage.Files, there: list[Enrolment]
) -> ChangedRow[Enrolment]:
    if capture and capture.state == SUPERSEDED:
        raise CaptureSuperseded
    if not employee.is_active:
        raise ServiceError("employee_inactive")
    terminal = _terminal(terminal_id, capture)
    if capture:
        consents.require_for_save(employee, with_face=True)
        _adopt(employee, capture, files)
    # Where there is none, there is none to lock.
    there = there and queries.of_number(employee.number, lock=True)
    enrolment = next((row for row in there if row.terminal_id == terminal.id), None)
    elsewhere = capture is not None and any(row.terminal_id != terminal.id for row in there)
    # A first photo for an enrolment without one is a change.
    is_same = (
        enrolment is not None
        and enrolment.desired == PRESENT
        and enrolment.employee_id == employee.id
        and (enrolment.photo_id is not None or employee.photo_id is None)
    )
    if capture is None and enrolment is not None and is_same:
        if not enrolment.is_confirmed:
            refuse_long_name(terminal, employee)
            desired.retry_when_it_answers(enrolment.id)
    else:
        desired.refuse_leaving(there, employee.id)
        enrolment = desired.desire_present_on(enrolment, terminal, employee, employee.photo)
        if elsewhere and employee.photo:
            desired.bring_elsewhere(there, employee, employee.photo, terminal.id)
    return ChangedRow(enrolment, due_of(employee.number) if elsewhere else (enrolment.id,))


def _adopt(employee: Employee, capture: Capture, files: storage.Files) -> None:
    """captured → used; the picture becomes the employee's photo, and its file is renamed to the number."""
    photo = captures.photo_of(capture)
    if not capture_state.save(capture.id) or photo is None:
        db.session.refresh(capture)
        raise ServiceError("not_saved") if capture.refusal_code == "not_saved" else CaptureSuperseded
    write_columns(photo, file=files.rename(photo, employee.number), employee_id=employee.id)
    write_columns(employee, photo_id=photo.id)
    audit_notes.record_photo(employee, photo, capture)


def _terminal(terminal_id: int | None, capture: Capture | None) -> Terminal:
    if capture is not None:
        return registry.if_active(capture.terminal)
    if terminal_id is not None:
        return registry.active(terminal_id)
    only = registry.only_active()
    if only is None:
        raise ServiceError("terminal_not_named") if registry.list_active() else ServiceError("terminal_unknown")
    return registry.active(only.id)
