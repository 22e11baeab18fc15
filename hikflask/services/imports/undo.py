"""Undoes an applied row of an import exactly, within one transaction of the caller's, or says why not.

A row is undone while its person is as the import left them: what was written, and on which terminals they are wanted
with which photo. An employee whom the import added is deleted again while nothing else was added since.
"""

from typing import Any

from sqlalchemy import update

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, ImportRow, Photo
from hikflask.models.enrolment import CONFIRMED
from hikflask.models.import_batch import APPLIED, NEW, UNDONE
from hikflask.services import audit
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.db import changed_rows, lock_numbers, locked_employee
from hikflask.services.core.errors import NotFound, PhotoForgotten, ServiceError
from hikflask.services.departments import registry as departments
from hikflask.services.employees import audit_notes
from hikflask.services.employees.lifecycle import apply_active, delete_again
from hikflask.services.employees.save import save_changes
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.desired import desire_present
from hikflask.services.groups import locks, membership
from hikflask.services.imports import batches
from hikflask.services.imports.apply import (
    ENROLMENTS,
    FORMER_ENROLMENTS,
    OF_FORM,
    Desired,
    desired_enrolments,
    present_values,
)
from hikflask.services.imports.classify import PHOTO
from hikflask.services.imports.table.columns import DEPARTMENT, LEFT
from hikflask.services.photos import storage
from hikflask.services.state import enrolment as state
from hikflask.services.terminals import registry


def undo_row(row: ImportRow) -> None:
    """Undo a row within the caller's transaction; one that is not applied is left as it is.

    :raises changed_since: when the person is not any more as the import left them.
    :raises employee_unknown: when deleted meanwhile. :raises PhotoForgotten: when the former photo is deleted.
    :raises face_stays: when the imported photo is on a terminal, and there was none before.
    :raises TerminalRetired: :raises terminal_unknown: when a former terminal is out of service.
    """
    if row.state != APPLIED:
        return
    if row.employee_id is None:
        raise NotFound("employee_unknown")
    lock_numbers(row.number)
    batch, employee = batches.get_one(row.batch_id), locked_employee(row.employee_id)
    written = row.written or {}
    is_same = is_untouched(employee, row.number, written)
    if not is_same or desired_enrolments(employee) != _complete(written[ENROLMENTS]):
        raise ServiceError("changed_since")
    delete_again(employee) if row.verdict == NEW else _restore(employee, row)
    changed_rows(update(ImportRow).where(ImportRow.id == row.id).values(state=UNDONE))
    if written.get(DEPARTMENT) in batch.new_departments:
        departments.delete_unused(written[DEPARTMENT])


def _complete(stored: Desired) -> Desired:
    """Return what was written of terminals; before there were groups, no group was written."""
    return [[*enrolment, False][:3] for enrolment in stored]


def is_untouched(employee: Employee, number: str, written: dict[str, Any]) -> bool:
    """True while the employee has what the import wrote; their terminals are compared apart."""
    now = present_values(employee)
    return employee.number == number and all(now[field] == written[field] for field in now.keys() & written.keys())


def _restore(employee: Employee, row: ImportRow) -> None:
    before, written = row.before or {}, row.written or {}
    former = _complete(written[FORMER_ENROLMENTS])
    if fields := before.keys() & set(OF_FORM):
        changes = Draft(**{name: before[name] for name in fields})
        save_changes(changes, storage.Files(), employee_id=employee.id, fields=fields, by_groups=_leave_terminals)
        # The department may have another spelling now.
        if employee.department != before.get(DEPARTMENT, employee.department):
            raise ServiceError("changed_since")
    if LEFT in before:
        apply_active(employee, active=True, enrol=False)
    if PHOTO in before:
        _restore_photo(employee, before[PHOTO])
    _restore_enrolments(employee, _complete(written[ENROLMENTS]), former)
    # A group that gave a terminal before may not do so any more.
    membership.withdraw(employee)
    if desired_enrolments(employee) != former:
        raise ServiceError("changed_since")


def _leave_terminals(employee: Employee) -> None:
    """Do nothing yet: where the employee was before is restored afterwards."""


def _restore_photo(employee: Employee, photo_id: int | None) -> None:
    photo = _photo(photo_id)
    employee.photo_id = photo_id
    db.session.flush()
    db.session.refresh(employee)
    if photo:
        audit_notes.record_photo(employee, photo, None)
    else:
        audit.record("employee.photo_changed", employee=employee, after={"source": ""})


def _photo(photo_id: int | None) -> Photo | None:
    """Return a former photo, which still has its file.

    :raises PhotoForgotten:
    """
    if photo_id is None:
        return None
    photo = db.session.get(Photo, photo_id, populate_existing=True)
    if photo is None or photo.forgotten_at or storage.path_of(photo) is None:
        raise PhotoForgotten
    return photo


def _restore_enrolments(employee: Employee, now: Desired, former: Desired) -> None:
    """Make the employee desired where they were before, with the photos of that time."""
    photos, former_photos = (
        {terminal_id: photo_id for terminal_id, photo_id, _ in enrolments if terminal_id is not None}
        for enrolments in (now, former)
    )
    by_group = {terminal_id for terminal_id, _, is_by_group in former if is_by_group}
    locks.share()
    queries.of_number(employee.number, lock=True)
    for terminal_id, photo_id in former_photos.items():
        if terminal_id not in photos or photos[terminal_id] != photo_id:
            _desire(employee, terminal_id, photo_id, by_group=terminal_id in by_group)
    is_employees = Enrolment.number == employee.number
    for terminal_id in photos.keys() - former_photos.keys():
        state.apply(state.DESIRED_ABSENT, is_employees, Enrolment.terminal_id == terminal_id)
    if photos != former_photos:
        queries.of_number(employee.number)
        state.apply(state.PUT_IN_BULK, is_employees)


def _desire(employee: Employee, terminal_id: int, photo_id: int | None, *, by_group: bool) -> None:
    terminal = registry.in_service(terminal_id)
    photo = _photo(photo_id)
    enrolment = queries.find(terminal_id, employee.number, lock=True)
    if photo or enrolment is None or enrolment.photo_id is None:
        desire_present(terminal, employee, photo, by_group=by_group)
        return
    # There is no photo again, which is possible while no terminal has one: only a removal removes a face.
    if enrolment.face == CONFIRMED or enrolment.face_unverified or enrolment.confirmed_photo_id or enrolment.step:
        raise ServiceError("face_stays", t=terminal.name)
    state.apply(state.DESIRED_PRESENT, Enrolment.id == enrolment.id, employee_id=employee.id, photo_id=None)
    db.session.refresh(enrolment)
