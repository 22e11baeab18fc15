"""Does what the dry run of an import showed, one row within one transaction of the caller's.

The picture of a row is decoded before that.

A row is applied only if its person is still as the dry run saw them. What was written is stored in the row, with the
terminals before and after, so that it can be undone exactly.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import select, update

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, ImportBatch, ImportRow, Photo
from hikflask.models.import_batch import APPLIED, CHANGED, NEW, OPEN
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.db import (
    HELD_TERMINALS,
    fresh,
    lock_numbers,
    locked_employee,
    locked_employees,
    write_columns,
)
from hikflask.services.core.errors import NotFound, ServiceError
from hikflask.services.departments import registry as departments
from hikflask.services.employees.lifecycle import apply_active, send_to_terminal
from hikflask.services.employees.save import add_many, save_changes
from hikflask.services.employees.undo import ENROLMENTS, Desired, desired_enrolments
from hikflask.services.enrolments import mass_removals
from hikflask.services.enrolments.mass_removals import Days
from hikflask.services.groups import locks, membership
from hikflask.services.imports import batches
from hikflask.services.imports.classify import GROUPS, PHOTO, TERMINAL
from hikflask.services.imports.photos import pictures
from hikflask.services.imports.table.columns import DAYS, DEPARTMENT, LEFT, NAME
from hikflask.services.photos import storage
from hikflask.services.state import enrolment as state

FORMER_ENROLMENTS = "former_enrolments"
# What the employee form has, too.
OF_FORM = (NAME, DEPARTMENT, *DAYS)
# What terminals get to know.
OF_TERMINALS = {NAME, LEFT, PHOTO, TERMINAL, *DAYS}
# The employee, and what was written.
Applied = tuple[Employee, dict[str, Any]]


@contextmanager
def applying(row: ImportRow) -> Iterator[Callable[[], None]]:
    """Store the picture of a row, and yield what applies the row. When that raises, the picture is removed again.

    What is yielded is called within the caller's transaction; a row that is applied already is left as it is.

    :raises changed_since: when the person is not as the dry run saw them. :raises employee_unknown: when deleted
        meanwhile. :raises number_known: when somebody got the number meanwhile. :raises ServiceError: as a save does.
    :raises import_row_gone: when it was deleted meanwhile with all data of its person.
    """
    batch = batches.get_one(row.batch_id)
    is_refused, is_changed = PHOTO in (row.errors or {}), row.verdict == NEW or PHOTO in (row.before or {})
    has_photo = row.state == OPEN and row.photo and is_changed and not is_refused
    with storage.Files() as files:
        photo = pictures.store_photo(files, batch, row.photo, row.number) if has_photo else None
        yield partial(_apply, row.id, row.number, batch, photo, files)


def apply_together(batch_id: int, numbers: Collection[str]) -> set[str]:
    """Apply several rows at once that bring no photo, and return their numbers.

    It joins the caller's transaction. The rows of the other numbers are for applying(), as are those that are refused.

    :raises ServiceError: when one of them is refused all the same.
    """
    lock_numbers(*numbers)
    batch = batches.get_one(batch_id)
    of_numbers = (ImportRow.batch_id == batch_id, ImportRow.number.in_(numbers))
    plain = (ImportRow.verdict.in_((NEW, CHANGED)), ImportRow.state == OPEN, ImportRow.photo == "")
    statement = select(ImportRow).where(*of_numbers, *plain).order_by(ImportRow.id)
    rows = db.session.execute(statement, execution_options={"populate_existing": True}).scalars().all()
    changes = [row for row in rows if row.verdict == CHANGED]
    named = {row.values.get(DEPARTMENT, "") for row in rows}
    changed = _change_many(changes, named, batch) if changes else set()
    return changed | _add_many([row for row in rows if row.verdict == NEW], batch)


def _change_many(rows: Sequence[ImportRow], named: Collection[str], batch: ImportBatch) -> set[str]:
    """Change several people. What one of them locks is locked for all before, in the order of services/core/db.py.

    :param named: the departments that are locked, too.
    """
    employees = {employee.id: employee for employee in locked_employees({row.employee_id or 0 for row in rows})}
    rows = [row for row in rows if row.employee_id in employees]
    stored = departments.kept_names({*named, *(one.department for one in employees.values())})
    locks.share()
    db.session.execute(HELD_TERMINALS)
    state.lock_many(Enrolment.number.in_([row.number for row in rows]))
    done = set()
    for row in rows:
        try:
            _refuse_changed(employees[row.employee_id or 0], row.number, row.before or {}, batch.terminal_id)
        except ServiceError:
            continue
        if row.values.get(DEPARTMENT, "") in stored:
            with storage.Files() as files:
                _apply(row.id, row.number, batch, None, files)
            done.add(row.number)
    return done


def _add_many(rows: Sequence[ImportRow], batch: ImportBatch) -> set[str]:
    added, done = add_many([_draft(row) for row in rows]), []
    for row in rows:
        if employee := added.get(row.number):
            if batch.groups:
                membership.apply(employee)
            written = _brought(employee, batch)
            done.append({"id": row.id, "written": written, "state": APPLIED, "employee_id": employee.id})
    if done:
        db.session.execute(update(ImportRow), done)
    return {*added}


def _apply(row_id: int, number: str, batch: ImportBatch, photo: Photo | None, files: storage.Files) -> None:
    lock_numbers(number)
    row = fresh(ImportRow, row_id)
    if row is None:
        raise ServiceError("import_row_gone")
    if row.state != OPEN:
        return
    employee, written = (_add if row.verdict == NEW else _change)(row, batch, photo, files)
    former_photo_id = (row.before or {}).get(PHOTO)
    write_columns(row, written=written, state=APPLIED, employee_id=employee.id, former_photo_id=former_photo_id)


def _add(row: ImportRow, batch: ImportBatch, photo: Photo | None, files: storage.Files) -> Applied:
    employee = _saved(_draft(row), batch, photo, files)
    return employee, _brought(employee, batch)


def _brought(employee: Employee, batch: ImportBatch) -> dict[str, Any]:
    """Send somebody new to the terminal of the import, and return what was written."""
    if batch.terminal_id is not None:
        send_to_terminal(employee.id, batch.terminal_id)
    goes = batch.terminal_id is not None or batch.groups
    enrolments = desired_enrolments(employee) if goes else []
    if enrolments:
        state.apply(state.PUT_IN_BULK, Enrolment.number == employee.number)
    return {**current_values(employee), ENROLMENTS: enrolments, FORMER_ENROLMENTS: []}


def _draft(row: ImportRow) -> Draft:
    typed: dict[str, Any] = {name: row.values.get(name, "") for name in OF_FORM}
    return Draft(row.number, **typed)


def _change(row: ImportRow, batch: ImportBatch, photo: Photo | None, files: storage.Files) -> Applied:
    if row.employee_id is None:
        raise NotFound("employee_unknown")
    employee, before = locked_employee(row.employee_id), row.before or {}
    _refuse_changed(employee, row.number, before, batch.terminal_id)
    former, former_days = desired_enrolments(employee), (employee.valid_from, employee.valid_to)
    if before.keys() & {PHOTO, *OF_FORM}:
        fields = before.keys() & {*OF_FORM}
        typed: dict[str, Any] = {name: row.values.get(name, "") for name in fields}
        changes = Draft(**typed)
        employee = _saved(changes, batch, photo, files, employee_id=employee.id, fields=fields)
    if LEFT in before:
        apply_active(employee, active=False)
    elif TERMINAL in before and batch.terminal_id is not None:
        send_to_terminal(employee.id, batch.terminal_id)
    if GROUPS in before:
        membership.apply(employee)
    enrolments = desired_enrolments(employee)
    _count_lost_by_days(former_days, employee, enrolments)
    if former != enrolments or (former and before.keys() & OF_TERMINALS):
        state.apply(state.PUT_IN_BULK, Enrolment.number == employee.number)
    now = {**current_values(employee), TERMINAL: batch.terminal_id, GROUPS: True}
    written = {field: now[field] for field in before}
    return employee, {**written, ENROLMENTS: enrolments, FORMER_ENROLMENTS: former}


def _count_lost_by_days(former: Days, employee: Employee, enrolments: Desired) -> None:
    """Count the terminals that the employee loses by other days, as they were counted when the import began."""
    if mass_removals.take_access(former, (employee.valid_from, employee.valid_to)):
        for terminal_id, *_ in enrolments:
            mass_removals.add_loss(employee.id, terminal_id)


def current_values(employee: Employee) -> dict[str, Any]:
    """Return what an import can change of an employee, except for the terminals."""
    typed = employee.typed()
    form = {field: typed[field] for field in OF_FORM}
    return {**form, LEFT: not employee.is_active, PHOTO: employee.photo_id}


def _saved(
    draft: Draft,
    batch: ImportBatch,
    photo: Photo | None,
    files: storage.Files,
    *,
    employee_id: int | None = None,
    fields: Collection[str] | None = None,
) -> Employee:
    # A department that was renamed since it was counted who loses access has other groups: nobody comes into it.
    is_old = employee_id and draft.department and draft.department not in batch.new_departments
    if is_old and departments.find(draft.department) is None:
        raise ServiceError("changed_since")
    by_groups = membership.apply if batch.groups else membership.withdraw
    employee = save_changes(draft, files, photo, employee_id=employee_id, fields=fields, by_groups=by_groups)
    # What was read of an earlier photo is stale.
    db.session.expire(employee, ["photo"])
    return employee


def _refuse_changed(employee: Employee, number: str, before: dict[str, Any], terminal_id: int | None) -> None:
    now = current_values(employee)
    if TERMINAL in before:
        now[TERMINAL] = any(terminal == terminal_id for terminal, *_ in desired_enrolments(employee))
    if GROUPS in before:
        now[GROUPS] = not membership.changes(employee, employee.department, None).gets
    if employee.number != number or any(now[field] != value for field, value in before.items()):
        raise ServiceError("changed_since")
