"""Employees: saved with photo and wishes in one transaction; what is wanted of terminals is done afterwards."""

from dataclasses import dataclass
from typing import IO

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload, selectinload

from hikflask.extensions import db
from hikflask.models import Capture, Employee, Enrolment, Photo
from hikflask.models.capture import RUNNING, SUPERSEDED, TAKEN, USED
from hikflask.models.columns import database_now
from hikflask.models.employee import folded
from hikflask.models.enrolment import ABSENT, PRESENT
from hikflask.models.terminal import BY_PICTURE
from hikflask.services import audit
from hikflask.services.captures import runner
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.db import changed_rows
from hikflask.services.core.employee_lock import locked
from hikflask.services.core.errors import (
    CaptureNotSaved,
    CaptureOfAnother,
    CaptureRunning,
    CaptureSuperseded,
    EmployeeInactive,
    NumberEnrolled,
    NumberKnown,
    ServiceError,
)
from hikflask.services.employees import audit_notes
from hikflask.services.enrolments import desired
from hikflask.services.photos import retention, storage
from hikflask.services.privacy import consents
from hikflask.services.terminals import registry

# A page of a list costs three queries, however long it is.
SHOWN_IN_LISTS = (joinedload(Employee.photo), selectinload(Employee.enrolments).joinedload(Enrolment.terminal))
# Number, name and department are shorter together; a database takes conditions of so many words, not of any number.
LONGEST_SEARCH = 300


@dataclass(frozen=True)
class FaceSource:
    """Where the photo of a save comes from: a capture, or an upload with the terminal that was selected beside it.

    `saved_by` is who saves; a capture that somebody else asked for is saved when `take_over` says so.
    """

    capture_id: int | None = None
    saved_by: str = ""
    take_over: bool = False
    upload: IO[bytes] | None = None
    terminal_id: int | None = None


def save(
    draft: Draft, source: FaceSource = FaceSource(), *, employee_id: int | None = None, active: bool | None = None
) -> Employee:
    """Add an employee, or change one, together with the photo and what is wanted of terminals: all or nothing.

    A save that is sent twice with the same capture is one save. `active` takes an employee off, or lets one back in.

    :raises NumberKnown: when another employee has the number. :raises NumberLeaving: when a terminal may still open
        doors to whoever had it. :raises NumberEnrolled: when an enrolled number would change.
    :raises CaptureRunning: :raises CaptureSuperseded: :raises CaptureNotSaved: :raises CaptureLost: when the capture's
        picture cannot be used. :raises CaptureOfAnother: when somebody else asked for it, and nobody said to take it.
    :raises TerminalUnknown: :raises EmployeeInactive: when it cannot be on the terminal chosen for it.
    :raises BadPhoto: when the upload is no picture. :raises PhotosWaiting: when others took too long.
    :raises NameTooLong: when the terminal takes no such name.
    :raises ConsentMissing: when nothing says that this face may be kept, and that is required.
    :raises EmployeeUnknown: when the employee that would change was deleted meanwhile.
    """
    if done := _saved_already(draft, source):
        return done
    files = storage.Files()
    photo = files.keep_upload(source.upload, draft.number) if source.upload else None
    try:
        employee = _write(draft, source, employee_id, photo, files)
        if active is not None:
            _set_active(employee, active)
        db.session.commit()
    except IntegrityError as error:
        db.session.rollback()
        files.undo()
        raise NumberKnown(n=draft.number) from error
    except BaseException:
        db.session.rollback()
        files.undo()
        raise
    files.settle()
    return employee


def _write(
    draft: Draft, source: FaceSource, employee_id: int | None, photo: Photo | None, files: storage.Files
) -> Employee:
    known = locked(employee_id) if employee_id else None
    # A file that was chosen counts when the capture beside it gave no picture, or lost it since.
    capture = None if source.upload else _use(source, employee_id)
    if capture:
        photo = runner.photo_of(capture)
    desired.refuse_while_leaving(draft.number, employee_id)
    employee = _changed(known, draft, capture is not None) if known else _added(draft)
    consents.require_for_save(employee, given_today=draft.consent, with_face=photo is not None)
    if photo:
        storage.save(photo)
        photo.employee_id = employee.id
        db.session.flush()
        employee.photo_id = photo.id
    if shown := photo or employee.photo:
        files.rename(shown, draft.number)
    if photo:
        audit_notes.photo_changed(employee, photo, capture)
        if capture and capture.requested_by != source.saved_by:
            audit_notes.taken_over(employee, capture)
        _bring(employee, photo, capture.terminal_id if capture else source.terminal_id)
    return employee


def _bring(employee: Employee, photo: Photo, terminal_id: int | None) -> None:
    """Wish the photo's face there, and wherever the employee is wanted already and pictures are taken."""
    if terminal_id:
        if not employee.is_active:
            raise EmployeeInactive
        desired.want_present(registry.active(terminal_id), employee, photo)
    for enrolment in desired.of_number(employee.number):
        elsewhere = enrolment.terminal_id != terminal_id and enrolment.desired == PRESENT
        if elsewhere and enrolment.terminal.face_mode == BY_PICTURE:
            desired.want_present(enrolment.terminal, employee, photo)


def send(employee_id: int, terminal_id: int) -> Enrolment:
    """Wish that the employee be on one more terminal, with the present photo where that terminal takes pictures.

    :raises TerminalUnknown: :raises EmployeeInactive: :raises NameTooLong: :raises NumberLeaving:
    :raises EmployeeUnknown:
    """
    employee = locked(employee_id)
    terminal = registry.active(terminal_id)
    if not employee.is_active:
        raise EmployeeInactive
    desired.refuse_while_leaving(employee.number, employee_id)
    enrolment = desired.want_present(terminal, employee, employee.photo)
    db.session.commit()
    return enrolment


def _use(source: FaceSource, employee_id: int | None) -> Capture | None:
    """captured → used, by compare-and-set; one that took no picture, or gave this employee theirs, is as none."""
    capture_id = source.capture_id
    if capture_id is None:
        return None
    _refuse_another(source)
    taken = update(Capture).where(Capture.id == capture_id, Capture.state == TAKEN).values(state=USED)
    changed = changed_rows(taken)
    capture = db.session.get(Capture, capture_id, populate_existing=True)
    if changed:
        return capture
    if capture is not None and capture.state in RUNNING and runner.view(capture_id).running:
        raise CaptureRunning
    if capture is not None and capture.reason == CaptureNotSaved.code:
        raise CaptureNotSaved
    if capture is not None and capture.state in {SUPERSEDED, USED} and not _belongs(capture, employee_id):
        raise CaptureSuperseded
    return None


def _refuse_another(source: FaceSource) -> None:
    capture = db.session.get(Capture, source.capture_id, populate_existing=True)
    if capture is None or capture.state != TAKEN or source.take_over or capture.requested_by == source.saved_by:
        return
    raise CaptureOfAnother(who=capture.requested_by, name=capture.draft_name, n=capture.draft_number)


def _belongs(capture: Capture, employee_id: int | None) -> bool:
    photo = runner.photo_of(capture)
    return capture.state == USED and photo is not None and employee_id is not None and photo.employee_id == employee_id


def _saved_already(draft: Draft, source: FaceSource) -> Employee | None:
    """Return the employee that this very capture was saved to: the second half of a double click."""
    if source.capture_id is None or source.upload:
        return None
    capture = db.session.get(Capture, source.capture_id, populate_existing=True)
    photo = runner.photo_of(capture) if capture and capture.state == USED else None
    employee = db.session.get(Employee, photo.employee_id) if photo and photo.employee_id else None
    db.session.commit()
    return employee if employee and draft == Draft(employee.number, employee.name, employee.department) else None


def _added(draft: Draft) -> Employee:
    if by_number(draft.number):
        raise NumberKnown(n=draft.number)
    employee = Employee(number=draft.number, name=draft.name, department=draft.department)
    db.session.add(employee)
    db.session.flush()
    audit.note("employee.created", employee=employee, after=audit_notes.facts(employee))
    return employee


def _changed(employee: Employee, draft: Draft, with_face: bool) -> Employee:
    before = audit_notes.facts(employee)
    if employee.number != draft.number:
        _renumber(employee, draft.number, with_face)
    renamed = employee.name != draft.name
    employee.name, employee.department = draft.name, draft.department
    db.session.flush()
    audit_notes.changed(employee, before)
    if renamed:
        desired.want_renamed(employee)
    return employee


def _renumber(employee: Employee, number: str, with_face: bool) -> None:
    """Give another number: the old one leaves every terminal, so an enrolled one needs its face captured anew."""
    if by_number(number):
        raise NumberKnown(n=number)
    old = desired.of_number(employee.number)
    enrolled = next((one for one in old if not (one.desired == ABSENT and one.is_confirmed)), None)
    if enrolled and not with_face:
        raise NumberEnrolled(n=employee.number, t=enrolled.terminal.name)
    desired.want_absent(employee.number)
    for enrolment in old:
        if enrolment.is_confirmed:
            db.session.delete(enrolment)
    employee.number = number


def set_active(employee_id: int, active: bool) -> Employee:
    """Take an employee off every terminal, or let one back in: the face that was proven must be proven again.

    :raises EmployeeUnknown:
    """
    employee = locked(employee_id)
    try:
        _set_active(employee, active)
        db.session.commit()
    except ServiceError:
        db.session.rollback()
        raise
    return employee


def _set_active(employee: Employee, active: bool) -> None:
    if active != employee.is_active:
        audit.note("employee.activated" if active else "employee.deactivated", employee=employee)
    returns, employee.is_active = active and not employee.is_active, active
    # Somebody who left before left then.
    left_at = None if active else func.coalesce(Employee.left_at, database_now())
    changed_rows(update(Employee).where(Employee.id == employee.id).values(left_at=left_at))
    if returns:
        _return(employee)
    elif not active:
        desired.want_absent(employee.number)


def _return(employee: Employee) -> None:
    for enrolment in desired.of_number(employee.number):
        if enrolment.terminal.retired_at is None:
            photo = db.session.get(Photo, enrolment.photo_id) if enrolment.photo_id else None
            desired.want_present(enrolment.terminal, employee, photo)


def delete(employee_id: int) -> list[int]:
    """Delete an employee with all photos; the removals from terminals outlive the row. Return their enrolments' ids.

    :raises EmployeeUnknown:
    """
    employee = locked(employee_id)
    desired.want_absent(employee.number)
    left = desired.of_person(employee.number, employee_id, lock=True)
    for enrolment in left:
        enrolment.photo_id = enrolment.confirmed_photo_id = enrolment.employee_id = None
        if enrolment.is_confirmed:
            db.session.delete(enrolment)
    employee.photo_id = None
    db.session.flush()
    files = retention.forget_all_of(employee.id)
    audit.note("employee.deleted", employee=employee, before=audit_notes.facts(employee))
    db.session.delete(employee)
    db.session.commit()
    retention.remove_at_once(files)
    return [enrolment.id for enrolment in left if not enrolment.is_confirmed]


def by_number(number: str) -> Employee | None:
    """Return the employee with this number."""
    return db.session.execute(select(Employee).where(Employee.number == number)).scalar_one_or_none()


def get(employee_id: int) -> Employee | None:
    """Return the employee as the database has it now."""
    return db.session.get(Employee, employee_id, populate_existing=True)


def found(q: str, limit: int, offset: int) -> tuple[list[Employee], int]:
    """Return a page of the employees that match every word of `q`, sorted by name, and how many match in all."""
    statement = select(Employee).where(*_matches(q)).order_by(Employee.search, Employee.id)
    total = db.session.execute(select(func.count(Employee.id)).where(*_matches(q))).scalar_one()
    statement = statement.options(*SHOWN_IN_LISTS).limit(limit).offset(offset)
    page = db.session.execute(statement, execution_options={"populate_existing": True}).scalars()
    return list(page), total


def _matches(q: str) -> list[ColumnElement[bool]]:
    return [Employee.search.contains(word, autoescape=True) for word in folded(q[:LONGEST_SEARCH]).split()]


def is_synced(employee: Employee) -> bool:
    """True when at least one enrolment is wanted and all that are wanted are confirmed."""
    wanted = [enrolment for enrolment in employee.enrolments if enrolment.desired == PRESENT]
    return bool(wanted) and all(enrolment.is_green for enrolment in wanted)
