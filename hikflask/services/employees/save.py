"""Saves an employee with the photo and the desired enrolments in one transaction. Terminals are reconciled later."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import IO

from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import Capture, Employee, Enrolment, Photo
from hikflask.models.capture import CAPTURED, RUNNING, SUPERSEDED, USED
from hikflask.models.columns import database_now
from hikflask.services import audit
from hikflask.services.captures import deadline, drafts
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.queries import photo_of, with_terminal
from hikflask.services.core.db import Require, lock_numbers, locked_with_number, transactional
from hikflask.services.core.errors import CaptureSuperseded, ServiceError
from hikflask.services.departments import registry as departments
from hikflask.services.employees import audit_notes, photo_drafts, search
from hikflask.services.employees.lifecycle import apply_active
from hikflask.services.enrolments import desired, queries
from hikflask.services.enrolments.desired import desire_absent, desire_new_facts
from hikflask.services.enrolments.reconcile_now import ChangedRow, due_of
from hikflask.services.groups import locks, membership
from hikflask.services.photos import storage
from hikflask.services.photos.inspection import CheckedPhoto
from hikflask.services.privacy import consents
from hikflask.services.state import capture as capture_state
from hikflask.services.terminals import registry

# The same form of a new employee, without a photo, counts as sent twice for so long.
DOUBLE_CLICK_SECONDS = 60.0


@dataclass(frozen=True)
class FaceSource:
    """The source of the photo: a capture, or an upload with the selected terminal.

    The upload is a file, or a photo that was checked just now; `photo_draft` is the token of a draft of the operator
    `saved_by`, who saves. With `take_over`, a capture that another operator requested may be saved, too.
    """

    capture_id: int | None = None
    saved_by: str = ""
    take_over: bool = False
    upload: IO[bytes] | CheckedPhoto | None = None
    photo_draft: str = ""
    terminal_id: int | None = None

    @property
    def is_file(self) -> bool:
        """True when the photo comes from a file."""
        return bool(self.upload or self.photo_draft)


def save_employee(
    draft: Draft,
    source: FaceSource = FaceSource(),
    *,
    employee_id: int | None = None,
    fields: Collection[str] | None = None,
    active: bool | None = None,
    require: Require | None = None,
) -> ChangedRow[Employee]:
    """Add or change an employee with the photo and the desired enrolments, in one transaction.

    A save that is sent twice with the same capture, or with the same draft of a photo, counts once. So does a save of a
    new employee without a photo.

    :param employee_id: the employee to change; None adds one.
    :param fields: the fields of `draft` that are saved; the others stay as they are once the row is locked, whatever
        was read before. None saves all.
    :param active: True activates the employee, False deactivates; None changes nothing.
    :param require: is called once the row of the employee to change is locked, and raises when nothing is to be done.
    :raises number_known: when another employee has the number. :raises number_leaving: when an earlier owner of the
        number may still open doors. :raises number_enrolled: when an enrolled number would change.
    :raises capture_running: :raises CaptureSuperseded: :raises not_saved: when the capture's
        picture cannot be used. :raises capture_of_another: when somebody else requested it, without `take_over`.
    :raises terminal_unknown: :raises employee_inactive: when the employee cannot be on the selected terminal.
    :raises BadPhoto: when the upload is no picture. :raises PhotosWaiting: when other uploads took too long.
    :raises photo_draft_gone: when there is no such draft any more.
    :raises NameTooLong: when not one letter of the name fits on a terminal.
    :raises consent_missing: when a consent is required and none is recorded.
    :raises validity_over: when the last day is past of somebody new, active, or to be on a terminal.
    :raises validity_reversed: when the last day would be before the first one, which another save has set meanwhile.
    :raises employee_unknown: when the employee was deleted meanwhile.
    """
    try:
        with storage.Files() as files:
            photo = None
            if source.photo_draft:
                photo, _ = photo_drafts.owned(source.photo_draft, source.saved_by)
            elif source.upload:
                photo = files.add(storage.keep_upload(source.upload, draft.number))
            employee = save_changes(
                draft, files, photo, source, employee_id=employee_id, fields=fields, active=active, require=require
            )
    except ServiceError:
        earlier = _saved_already(draft, source, employee_id, fields)
        if earlier is None:
            raise
        employee = earlier
    return ChangedRow(employee, due_of(employee.number))


@transactional
def save_changes(
    draft: Draft,
    files: storage.Files,
    photo: Photo | None = None,
    source: FaceSource = FaceSource(),
    *,
    employee_id: int | None = None,
    fields: Collection[str] | None = None,
    active: bool | None = None,
    require: Require | None = None,
    by_groups: Callable[[Employee], object] = membership.apply,
) -> Employee:
    """Save an employee as save_employee() does, with an uploaded picture that is stored already.

    :param files: has stored the picture. Its block is around the whole transaction, which may be the caller's.
    :param by_groups: what follows from the groups of terminals: apply, withdraw (no terminal is given), or nothing.
    """
    former = None
    if employee_id:
        former = locked_with_number(employee_id, draft.number)
        if require:
            require()
        draft = draft.applied_to(drafts.of_saved(former), fields)
    else:
        lock_numbers(draft.number)
    # In their order (see core/db.py).
    draft = replace(draft, department=departments.resolve(draft.department))
    locks.share()
    employee = _written(former, draft, source, photo, files, by_groups)
    if active is not None:
        apply_active(employee, active)
    return employee


@transactional
def add_many(drafts: Collection[Draft]) -> dict[str, Employee]:
    """Add employees as save_changes() adds them, several by one statement, and return them by number.

    It is for drafts without a photo, a consent and groups. One whose number somebody or some terminal has, or whose
    department is not there yet, is left out: save_changes() sees to it.

    :raises validity_over: when the last day of somebody is past.
    """
    numbers = [draft.number for draft in drafts]
    lock_numbers(*numbers)
    stored = departments.kept_names({draft.department for draft in drafts})
    locks.share()
    taken = {*search.known_numbers(numbers), *queries.numbers_there(numbers)}
    added = [
        _new_employee(replace(draft, department=stored[draft.department]))
        for draft in drafts
        if draft.number not in taken and draft.department in stored
    ]
    if not added:
        return {}
    db.session.add_all(added)
    db.session.flush()
    audit.sealing.make_keys([(employee.id, employee.number) for employee in added])
    for employee in added:
        audit.record("employee.created", employee=employee, after=audit_notes.facts(employee))
    return {employee.number: employee for employee in added}


def _written(
    former: Employee | None,
    draft: Draft,
    source: FaceSource,
    photo: Photo | None,
    files: storage.Files,
    by_groups: Callable[[Employee], object],
) -> Employee:
    employee_id = former.id if former else None
    # The form passes an upload only if its capture gave no picture, or lost it since.
    capture = None if source.is_file else _use(source, employee_id)
    if capture:
        photo = photo_of(capture)
    there = queries.of_number(draft.number, lock=True)
    desired.refuse_leaving(there, employee_id)
    employee = _changed(former, draft, capture is not None) if former else _added(draft, photo)
    consents.require_for_save(employee, given_today=draft.consent, with_face=photo is not None)
    if photo:
        if source.photo_draft:
            photo_drafts.save(photo)
            photo.employee_id = employee.id
            storage.end_draft(photo)
        else:
            storage.save(photo, employee.id)
        employee.photo_id = photo.id
    if shown := photo or employee.photo:
        shown.file = files.rename(shown, draft.number)
    # Before the terminal of the photo: a terminal that a group asks for, too, is left with the group.
    if draft.groups is not None and membership.change_groups(employee, draft.groups):
        db.session.flush()
    if by_groups(employee):
        there = queries.of_number(employee.number, lock=True)
    if photo:
        audit_notes.record_photo(employee, photo, capture)
        if capture and capture.requested_by != source.saved_by:
            audit_notes.record_take_over(employee, capture)
        _bring(there, employee, photo, capture, source.terminal_id)
    return employee


def _bring(
    there: list[Enrolment], employee: Employee, photo: Photo, capture: Capture | None, terminal_id: int | None
) -> None:
    """Mark the photo as desired on the selected terminal, and on the employee's other terminals that take pictures."""
    terminal_id = capture.terminal_id if capture else terminal_id
    if terminal_id:
        if not employee.is_active:
            raise ServiceError("employee_inactive")
        terminal = registry.if_active(capture.terminal) if capture else registry.active(terminal_id)
        current = next((enrolment for enrolment in there if enrolment.terminal_id == terminal_id), None)
        if not desired.has_photo(current, photo):
            desired.desire_present_on(current, terminal, employee, photo)
    desired.bring_elsewhere(there, employee, photo, terminal_id)


def _use(source: FaceSource, employee_id: int | None) -> Capture | None:
    """captured → used, by compare-and-set. Return None for a capture without a picture, or one saved to this employee.

    :raises capture_of_another: :raises capture_running: :raises not_saved: :raises CaptureSuperseded: when it cannot
        be used.
    """
    capture = with_terminal(source.capture_id) if source.capture_id else None
    if capture is None:
        return None
    if capture.state == CAPTURED:
        if not source.take_over and capture.requested_by != source.saved_by:
            who, number = capture.requested_by, capture.draft_number
            raise ServiceError("capture_of_another", who=who, name=capture.draft_name, n=number)
        if capture_state.save(capture.id):
            return capture
    _refuse_unusable(capture.id, employee_id)
    return None


def _refuse_unusable(capture_id: int, employee_id: int | None) -> None:
    capture = db.session.get(Capture, capture_id, populate_existing=True)
    if capture is None:
        return
    # A picture that has come just now was not seen by anybody.
    if capture.state == CAPTURED or (capture.state in RUNNING and deadline.view(capture.id).running):
        raise ServiceError("capture_running")
    if capture.refusal_code == "not_saved":
        raise ServiceError("not_saved")
    photo = photo_of(capture) if capture.state == USED and employee_id else None
    if capture.state in {SUPERSEDED, USED} and not (photo and photo.employee_id == employee_id):
        raise CaptureSuperseded


def _saved_already(
    draft: Draft, source: FaceSource, employee_id: int | None, fields: Collection[str] | None
) -> Employee | None:
    """Return the employee whom the same form saved already, as after a double click, or None.

    The photo shows it, or without a photo, all fields of an employee who was added a moment ago. A program that adds an
    employee, without `saved_by`, gets the refusal.
    """
    photo = _saved_photo(source)
    if photo and photo.employee_id:
        employee = db.session.get(Employee, photo.employee_id)
    elif source.saved_by and not (employee_id or source.capture_id or source.is_file):
        just_now = (Employee.number == draft.number, Employee.created_at > database_now(-DOUBLE_CLICK_SECONDS))
        employee = db.session.execute(select(Employee).where(*just_now)).scalar_one_or_none()
    else:
        employee = None
    if employee is None:
        return None
    saved = drafts.of_saved(employee)
    draft = replace(draft, department=departments.find(draft.department) or draft.department).applied_to(saved, fields)
    has_groups = draft.groups is None or set(draft.groups) == set(membership.groups_of(employee.id))
    return employee if draft == saved and has_groups else None


def _saved_photo(source: FaceSource) -> Photo | None:
    if source.photo_draft:
        return photo_drafts.saved_as(source.photo_draft)
    if source.capture_id is None or source.upload:
        return None
    capture = db.session.get(Capture, source.capture_id, populate_existing=True)
    return photo_of(capture) if capture and capture.state == USED else None


def _added(draft: Draft, photo: Photo | None) -> Employee:
    if search.by_number(draft.number):
        raise ServiceError("number_known", n=draft.number)
    employee = _new_employee(draft)
    employee.photo_id = photo.id if photo else None
    db.session.add(employee)
    db.session.flush()
    audit.record("employee.created", employee=employee, after=audit_notes.facts(employee))
    return employee


def _new_employee(draft: Draft) -> Employee:
    employee = Employee(number=draft.number, name=draft.name, department=draft.department)
    employee.terminal_name = draft.terminal_name
    employee.valid_from, employee.valid_to = draft.days()
    desired.refuse_over(employee)
    return employee


def _changed(employee: Employee, draft: Draft, with_face: bool) -> Employee:
    before = audit_notes.facts(employee)
    if employee.number != draft.number:
        _renumber(employee, draft.number, with_face)
    renamed = (employee.name, employee.terminal_name) != (draft.name, draft.terminal_name)
    employee.name, employee.department, employee.terminal_name = draft.name, draft.department, draft.terminal_name
    limited = _limit(employee, *draft.days())
    db.session.flush()
    audit_notes.record_change(employee, before)
    if renamed or limited:
        desire_new_facts(employee, is_renamed=renamed)
    return employee


def _limit(employee: Employee, first: date | None, last: date | None) -> bool:
    """Set the validity, and return True if it is another one.

    :raises validity_over: when it would be over already: an employee who has left is deactivated instead.
    :raises validity_reversed: when it would end before it begins.
    """
    if (employee.valid_from, employee.valid_to) == (first, last):
        return False
    if first and last and last < first:
        raise ServiceError("validity_reversed")
    ends_otherwise = employee.valid_to != last
    employee.valid_from, employee.valid_to = first, last
    if ends_otherwise and employee.is_active:
        desired.refuse_over(employee)
    return True


def _renumber(employee: Employee, number: str, with_face: bool) -> None:
    """Change the number. The old number is removed from every terminal, so an enrolled employee needs a new face."""
    if search.by_number(number):
        raise ServiceError("number_known", n=number)
    old = queries.of_number(employee.number)
    enrolled = queries.keeping_number(employee.number)
    if enrolled and not with_face:
        raise ServiceError("number_enrolled", n=employee.number, t=enrolled.terminal.name)
    desire_absent(employee.number)
    for enrolment in old:
        if enrolment.is_confirmed:
            db.session.delete(enrolment)
    employee.number = number
