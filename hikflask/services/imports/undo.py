"""Undoes an applied row of an import exactly, within one transaction of the caller's, or says why not.

A row is undone while its person is as the import left them: what was written, and on which terminals they are wanted
with which photo. Whoever was added is deleted again while nothing else was added since.
"""

from typing import Any

from sqlalchemy import select, update

from hikflask.extensions import db
from hikflask.models import Capture, Consent, Employee, Enrolment, ImportRow, Photo
from hikflask.models.enrolment import CONFIRMED
from hikflask.models.import_batch import APPLIED, NEW, UNDONE
from hikflask.services import audit
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.db import changed_rows, lock_numbers, locked_employee
from hikflask.services.core.errors import NotFound, PhotoForgotten, ServiceError
from hikflask.services.departments import registry as departments
from hikflask.services.employees import audit_notes
from hikflask.services.employees.lifecycle import apply_active, apply_deleted
from hikflask.services.employees.save import save_changes
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.desired import desire_present
from hikflask.services.groups import locks, membership
from hikflask.services.imports import batches
from hikflask.services.imports.apply import ENROLMENTS, FORMER_ENROLMENTS, OF_FORM, Wanted, days_of, wanted
from hikflask.services.imports.values import DEPARTMENT, LEFT, NAME
from hikflask.services.imports.verdicts import PHOTO
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
    batch, employee = batches.row(row.batch_id), locked_employee(row.employee_id)
    written = row.written or {}
    if not is_untouched(employee, row.number, written) or wanted(employee) != _complete(written[ENROLMENTS]):
        raise ServiceError("changed_since")
    _delete_again(employee) if row.verdict == NEW else _restore(employee, row)
    changed_rows(update(ImportRow).where(ImportRow.id == row.id).values(state=UNDONE))
    if written.get(DEPARTMENT) in batch.new_departments:
        departments.delete_unused(written[DEPARTMENT])


def _complete(stored: Wanted) -> Wanted:
    """Return what was noted of terminals; before there were groups, no group was noted."""
    return [[*one, False][:3] for one in stored]


def is_untouched(employee: Employee, number: str, written: dict[str, Any]) -> bool:
    """True while the employee has what the import wrote; their terminals are compared apart."""
    now = {
        NAME: employee.name,
        DEPARTMENT: employee.department,
        **days_of(employee),
        LEFT: not employee.is_active,
        PHOTO: employee.photo_id,
    }
    return employee.number == number and all(now[field] == written[field] for field in now.keys() & written.keys())


# --- whoever was added ---


def _delete_again(employee: Employee) -> None:
    if employee.terminal_name or not employee.is_active or _has_more(employee):
        raise ServiceError("changed_since")
    apply_deleted(employee)


def _has_more(employee: Employee) -> bool:
    """True when somebody recorded a consent, took a picture, or saved another photo since."""
    consent = select(Consent.id).where(Consent.employee_id == employee.id)
    photos = select(Photo.id).where(Photo.employee_id == employee.id, Photo.id != (employee.photo_id or 0))
    begun = select(Employee.created_at).where(Employee.id == employee.id).scalar_subquery()
    captures = select(Capture.id).where(Capture.draft_number == employee.number, Capture.created_at >= begun)
    return any(db.session.execute(found.limit(1)).first() for found in (consent, photos, captures))


# --- whoever was changed ---


def _restore(employee: Employee, row: ImportRow) -> None:
    before, written = row.before or {}, row.written or {}
    former = _complete(written[FORMER_ENROLMENTS])
    if before.keys() & set(OF_FORM):
        _restore_facts(employee, before)
    if LEFT in before:
        apply_active(employee, active=True, enrol=False)
    if PHOTO in before:
        _restore_photo(employee, before[PHOTO])
    _restore_enrolments(employee, _complete(written[ENROLMENTS]), former)
    # A group that gave a terminal before may not do so any more.
    membership.withdraw(employee)
    if wanted(employee) != former:
        raise ServiceError("changed_since")


def _restore_facts(employee: Employee, before: dict[str, Any]) -> None:
    fields = before.keys() & {*OF_FORM}
    changes = Draft(**{name: before[name] for name in fields})
    save_changes(changes, storage.Files(), employee_id=employee.id, fields=fields, by_groups=_leave_terminals)
    # The department may have another spelling now.
    if employee.department != before.get(DEPARTMENT, employee.department):
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


def _restore_enrolments(employee: Employee, now: Wanted, former: Wanted) -> None:
    """Make the employee desired where they were before, with the photos of that time."""
    present, earlier = dict(_pairs(now)), dict(_pairs(former))
    by_group = {terminal_id for terminal_id, _, given in former if given}
    locks.share()
    queries.of_number(employee.number, lock=True)
    for terminal_id, photo_id in earlier.items():
        if terminal_id not in present or present[terminal_id] != photo_id:
            _desire(employee, terminal_id, photo_id, by_group=terminal_id in by_group)
    mine = Enrolment.number == employee.number
    for terminal_id in present.keys() - earlier.keys():
        state.apply(state.DESIRED_ABSENT, mine, Enrolment.terminal_id == terminal_id)
    if present != earlier:
        queries.of_number(employee.number)
        state.apply(state.PUT_IN_BULK, mine)


def _pairs(found: Wanted) -> list[tuple[int, int | None]]:
    return [(terminal_id, photo_id) for terminal_id, photo_id, _ in found if terminal_id is not None]


def _desire(employee: Employee, terminal_id: int, photo_id: int | None, *, by_group: bool) -> None:
    terminal = registry.in_service(terminal_id)
    photo = _photo(photo_id)
    enrolment = queries.find(terminal_id, employee.number, lock=True)
    if photo is None and enrolment is not None and enrolment.photo_id is not None:
        _take_photo_back(enrolment, employee)
    else:
        desire_present(terminal, employee, photo, by_group=by_group)


def _take_photo_back(enrolment: Enrolment, employee: Employee) -> None:
    """Desire somebody without a photo again, whose photo no terminal has yet: only a removal takes a face off."""
    if enrolment.face == CONFIRMED or enrolment.face_unverified or enrolment.confirmed_photo_id or enrolment.step:
        raise ServiceError("face_stays", t=enrolment.terminal.name)
    mine = Enrolment.id == enrolment.id
    state.apply(state.DESIRED_PRESENT, mine, employee_id=employee.id, photo_id=None)
    db.session.refresh(enrolment)
