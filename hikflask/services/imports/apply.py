"""Does what the dry run of an import showed, one row within one transaction of the caller's.

The picture of a row is decoded before that.

A row is applied only if its person is still as the dry run saw them. What was written is noted in the row, with the
terminals before and after, so that it can be undone exactly.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import select, update

from hikflask import text_rules
from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, ImportBatch, ImportRow, Photo
from hikflask.models.enrolment import PRESENT
from hikflask.models.import_batch import APPLIED, NEW, OPEN
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.db import changed_rows, fresh, lock_numbers, locked_employee
from hikflask.services.core.errors import NotFound, ServiceError
from hikflask.services.departments import registry as departments
from hikflask.services.employees.lifecycle import apply_active, send_to_terminal
from hikflask.services.employees.save import save_changes
from hikflask.services.enrolments import mass_removals
from hikflask.services.enrolments.mass_removals import Days
from hikflask.services.groups import membership
from hikflask.services.imports import batches, pictures
from hikflask.services.imports.values import DAYS, DEPARTMENT, LEFT, NAME, VALID_FROM, VALID_TO
from hikflask.services.imports.verdicts import GROUPS, PHOTO, TERMINAL
from hikflask.services.photos import storage
from hikflask.services.state import enrolment as state

ENROLMENTS, FORMER_ENROLMENTS = "enrolments", "former_enrolments"
# What the employee form has, too.
OF_FORM = (NAME, DEPARTMENT, *DAYS)
# What terminals get to know.
OF_TERMINALS = {NAME, LEFT, PHOTO, TERMINAL, *DAYS}
# Terminal, photo, and whether a group asked for it, of the enrolments that are desired present.
Wanted = list[list[Any]]


@contextmanager
def applying(row: ImportRow) -> Iterator[Callable[[], None]]:
    """Store the picture of a row, and yield what applies the row. When that raises, the picture is removed again.

    What is yielded is called within the caller's transaction; a row that is applied already is left as it is.

    :raises changed_since: when the person is not as the dry run saw them. :raises employee_unknown: when deleted
        meanwhile. :raises number_known: when somebody got the number meanwhile. :raises ServiceError: as a save does.
    :raises import_row_gone: when it was deleted meanwhile with all data of its person.
    """
    batch = batches.row(row.batch_id)
    has_photo = row.state == OPEN and _has_photo(row)
    with storage.Files() as files:
        photo = pictures.keep(files, batch, row.photo, row.number) if has_photo else None
        yield partial(_apply, row.id, row.number, batch, photo, files)


def _apply(row_id: int, number: str, batch: ImportBatch, photo: Photo | None, files: storage.Files) -> None:
    lock_numbers(number)
    row = fresh(ImportRow, row_id)
    if row is None:
        raise ServiceError("import_row_gone")
    if row.state != OPEN:
        return
    written = _added(row, batch, photo, files) if row.verdict == NEW else _changed(row, batch, photo, files)
    done = {"written": written, "state": APPLIED, "employee_id": written.pop("employee_id")}
    changed_rows(update(ImportRow).where(ImportRow.id == row.id).values(**done, former_photo_id=_former_photo(row)))


def _has_photo(row: ImportRow) -> bool:
    is_refused = PHOTO in (row.errors or {})
    return bool(row.photo) and not is_refused and (row.verdict == NEW or PHOTO in (row.before or {}))


def _former_photo(row: ImportRow) -> int | None:
    former: int | None = (row.before or {}).get(PHOTO)
    return former


def _added(row: ImportRow, batch: ImportBatch, photo: Photo | None, files: storage.Files) -> dict[str, Any]:
    typed: dict[str, Any] = {name: row.values.get(name, "") for name in OF_FORM}
    employee = _saved(Draft(row.number, **typed), batch, photo, files)
    if batch.terminal_id is not None:
        send_to_terminal(employee.id, batch.terminal_id)
    sent = wanted(employee)
    if sent:
        _put_in_bulk(employee)
    return {
        "employee_id": employee.id,
        NAME: employee.name,
        DEPARTMENT: employee.department,
        **days_of(employee),
        PHOTO: employee.photo_id,
        ENROLMENTS: sent,
        FORMER_ENROLMENTS: [],
    }


def _changed(row: ImportRow, batch: ImportBatch, photo: Photo | None, files: storage.Files) -> dict[str, Any]:
    if row.employee_id is None:
        raise NotFound("employee_unknown")
    employee, before = locked_employee(row.employee_id), row.before or {}
    _refuse_changed(employee, row.number, before, batch.terminal_id)
    former, former_days = wanted(employee), (employee.valid_from, employee.valid_to)
    said: dict[str, Any] = {field: row.values.get(field, "") for field in before}
    if before.keys() & {NAME, DEPARTMENT, PHOTO, *DAYS}:
        fields = said.keys() & {*OF_FORM}
        changes = Draft(**{name: said[name] for name in fields})
        employee = _saved(changes, batch, photo, files, employee_id=employee.id, fields=fields)
    if LEFT in before:
        apply_active(employee, active=False)
    elif TERMINAL in before and batch.terminal_id is not None:
        send_to_terminal(employee.id, batch.terminal_id)
    if GROUPS in before:
        membership.apply(employee)
    now_wanted = wanted(employee)
    _note_days(former_days, employee, now_wanted)
    if former != now_wanted or (former and before.keys() & OF_TERMINALS):
        _put_in_bulk(employee)
    now = {
        NAME: employee.name,
        DEPARTMENT: employee.department,
        **days_of(employee),
        LEFT: not employee.is_active,
        PHOTO: employee.photo_id,
        TERMINAL: batch.terminal_id,
        GROUPS: True,
    }
    enrolled = {ENROLMENTS: now_wanted, FORMER_ENROLMENTS: former}
    return {"employee_id": employee.id, **{field: now[field] for field in before}, **enrolled}


def _note_days(former: Days, employee: Employee, present: Wanted) -> None:
    """Note the terminals that other days take from somebody; they were counted when the import began."""
    if mass_removals.are_taken_by(former, (employee.valid_from, employee.valid_to)):
        for terminal_id, *_ in present:
            mass_removals.note(terminal_id)


def days_of(employee: Employee) -> dict[str, str]:
    """Return the days of an employee's validity as an import has them."""
    return {
        VALID_FROM: text_rules.written_day(employee.valid_from),
        VALID_TO: text_rules.written_day(employee.valid_to),
    }


def _saved(
    draft: Draft,
    batch: ImportBatch,
    photo: Photo | None,
    files: storage.Files,
    *,
    employee_id: int | None = None,
    fields: Collection[str] | None = None,
) -> Employee:
    if employee_id and draft.department and draft.department not in batch.new_departments:
        _refuse_renamed(draft.department)
    by_groups = membership.apply if batch.groups else membership.withdraw
    employee = save_changes(draft, files, photo, employee_id=employee_id, fields=fields, by_groups=by_groups)
    # What was read of an earlier photo is stale.
    db.session.expire(employee, ["photo"])
    return employee


def _refuse_renamed(department: str) -> None:
    """Nobody comes into a department that was renamed since it was counted who loses access: it has other groups."""
    if departments.find(department) is None:
        raise ServiceError("changed_since")


def _refuse_changed(employee: Employee, number: str, before: dict[str, Any], terminal_id: int | None) -> None:
    now: dict[str, Any] = {
        NAME: employee.name,
        DEPARTMENT: employee.department,
        **days_of(employee),
        LEFT: not employee.is_active,
        PHOTO: employee.photo_id,
    }
    if TERMINAL in before:
        now[TERMINAL] = any(terminal == terminal_id for terminal, *_ in wanted(employee))
    if GROUPS in before:
        now[GROUPS] = not membership.changes(employee, employee.department, None).gets
    if employee.number != number or any(now[field] != value for field, value in before.items()):
        raise ServiceError("changed_since")


def wanted(employee: Employee) -> Wanted:
    """Return the terminals that somebody is desired on, as above, within the caller's transaction."""
    mine = select(Enrolment.terminal_id, Enrolment.photo_id, Enrolment.by_group).where(
        Enrolment.number == employee.number, Enrolment.desired == PRESENT
    )
    return [list(row) for row in db.session.execute(mine.order_by(Enrolment.terminal_id))]


def _put_in_bulk(employee: Employee) -> None:
    state.apply(state.PUT_IN_BULK, Enrolment.number == employee.number)
