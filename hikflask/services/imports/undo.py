"""Undoes an applied row of an import exactly, within one transaction of the caller's, or says why not.

A row is undone while its person is as the import left them: what was written, and on which terminals they are wanted
with which photo. An employee whom the import added is deleted again while nothing else was added since.
"""

from functools import partial
from typing import Any

from sqlalchemy import update

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, ImportRow
from hikflask.models.enrolment import CONFIRMED
from hikflask.models.import_batch import APPLIED, NEW, UNDONE
from hikflask.services.core.db import changed_rows, lock_numbers
from hikflask.services.core.errors import NotFound, ServiceError
from hikflask.services.departments import registry as departments
from hikflask.services.employees import undo
from hikflask.services.employees.undo import ENROLMENTS, Desired, EmployeeFacts
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.desired import desire_present
from hikflask.services.groups import locks, membership
from hikflask.services.imports import batches
from hikflask.services.imports.apply import FORMER_ENROLMENTS
from hikflask.services.imports.table.columns import DEPARTMENT, LEFT
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
    batch, written, before = batches.get_one(row.batch_id), written_facts(row), None
    if row.verdict != NEW:
        before = {**_renamed(row.before or {}), ENROLMENTS: _complete(written[FORMER_ENROLMENTS])}
    undo.undo(row.employee_id, before, written, partial(_restore_enrolments, written, before))
    changed_rows(update(ImportRow).where(ImportRow.id == row.id).values(state=UNDONE))
    if written.get(DEPARTMENT) in batch.new_departments:
        departments.delete_unused(written[DEPARTMENT])


def written_facts(row: ImportRow) -> EmployeeFacts:
    """Return what the import wrote, as facts of the employee."""
    written = row.written or {}
    return {"number": row.number, **_renamed(written), ENROLMENTS: _complete(written[ENROLMENTS])}


def _renamed(stored: dict[str, Any]) -> EmployeeFacts:
    facts = {name: value for name, value in stored.items() if name != LEFT}
    return facts | {undo.ACTIVE: not stored[LEFT]} if LEFT in stored else facts


def _complete(stored: Desired) -> Desired:
    """Return what was written of terminals; before there were groups, no group was written."""
    return [[*enrolment, False][:3] for enrolment in stored]


def _restore_enrolments(written: EmployeeFacts, before: EmployeeFacts | None, employee: Employee) -> None:
    """Make the employee desired where they were before, with the photos of that time."""
    if before is None:
        return
    now, former = written[ENROLMENTS], before[ENROLMENTS]
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
    # A group that gave a terminal before may not do so any more.
    membership.withdraw(employee)


def _desire(employee: Employee, terminal_id: int, photo_id: int | None, *, by_group: bool) -> None:
    terminal = registry.in_service(terminal_id)
    photo = undo.kept_photo(photo_id)
    enrolment = queries.find(terminal_id, employee.number, lock=True)
    if photo or enrolment is None or enrolment.photo_id is None:
        desire_present(terminal, employee, photo, by_group=by_group)
        return
    # There is no photo again, which is possible while no terminal has one: only a removal removes a face.
    if enrolment.face == CONFIRMED or enrolment.face_unverified or enrolment.confirmed_photo_id or enrolment.step:
        raise ServiceError("face_stays", t=terminal.name)
    state.apply(state.DESIRED_PRESENT, Enrolment.id == enrolment.id, employee_id=employee.id, photo_id=None)
    db.session.refresh(enrolment)
