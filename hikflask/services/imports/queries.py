"""Reads imports and their rows, always fresh from the database."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, case, cast, func, or_, select, union
from sqlalchemy.orm import aliased, defer

from hikflask.extensions import db
from hikflask.models import Department, Employee, Enrolment, ImportBatch, ImportRow, Photo, Terminal
from hikflask.models.enrolment import PRESENT
from hikflask.models.import_batch import APPLIED, CHANGED, NEW, WRONG
from hikflask.models.refusal import Refusal
from hikflask.models.terminal import BY_URL, GROUP_DEPARTMENTS, GROUP_EMPLOYEES, GROUP_TERMINALS
from hikflask.services.core import keyset
from hikflask.services.core.db import end_read
from hikflask.services.core.keyset import FIRST, Keyset, Page, PagePosition
from hikflask.services.employees import undo
from hikflask.services.imports import effects
from hikflask.services.imports.classify import PHOTO
from hikflask.services.imports.lost_faces import LostFaces, LostFacesCount
from hikflask.services.imports.undo import written_facts

BATCH, NAMED = 100, 5
ROWS = Keyset((ImportRow.id.asc(),), "rows of an import")
# Wrong rows with the same reason stand together, where there are not more than so many.
MAX_SORTED = 10_000
ERRORS = cast(ImportRow.errors, Text)
BY_REASON = Keyset((func.substr(ERRORS, 1, 120, type_=Text).asc(), ImportRow.id.asc()), "wrong rows of an import")
# Field and code of each error of a row.
Reason = tuple[tuple[str, str], ...]
# Beside the verdicts: the rows whose people come in without the photo, as it is refused.
WITHOUT_PHOTO = "without_photo"
# A photo comes with a row, or is here. Of a row that is not wrong, errors are those of its photo.
_HERE = select(Photo.id).join(Employee, Employee.photo_id == Photo.id)
_HERE = _HERE.where(Employee.id == ImportRow.employee_id, Photo.forgotten_at.is_(None)).correlate(ImportRow)
_HAS_FACE = or_(and_(ImportRow.photo != "", ImportRow.errors.is_(None)), _HERE.exists())
IS_WITHOUT_PHOTO = and_(ImportRow.verdict.in_((NEW, CHANGED)), ImportRow.errors.is_not(None))


@dataclass(frozen=True)
class Absent:
    """How many are active here, how many of them are not in the table of an import, and the first of these."""

    active: int = 0
    people: int = 0
    first: tuple[Employee, ...] = ()


@dataclass(frozen=True)
class Undoable:
    """How many rows of an import can be undone, and how many not, since their people were changed or deleted.

    `lost_faces`: whose face does not come back by it.
    """

    can: int
    changed: int
    lost_faces: tuple[LostFaces, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows are applied."""
        return self.can + self.changed


def list_page(limit: int, offset: int = 0) -> tuple[list[ImportBatch], int]:
    """Return a page of the imports, the newest first, and how many there are in all."""
    newest = select(ImportBatch).options(defer(ImportBatch.layout)).order_by(ImportBatch.id.desc())
    statement = newest.limit(limit).offset(offset)
    page = list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())
    return page, db.session.execute(select(func.count(ImportBatch.id))).scalar_one()


def names(rows: Iterable[ImportRow]) -> dict[int, str]:
    """Return the current names of the employees of rows, by their ids."""
    ids = {row.employee_id for row in rows if row.employee_id is not None}
    employees = db.session.execute(select(Employee.id, Employee.name).where(Employee.id.in_(ids)))
    return {employee_id: name for employee_id, name in employees}


def rows_page(batch_id: int, kind: str, limit: int, place: PagePosition = FIRST) -> tuple[Page[ImportRow], int]:
    """Return a page of an import's rows in the order of the file, and how many there are in all.

    Wrong rows come by their reasons. The cells are read of wrong rows alone.

    :param kind: the verdict that the rows have, WITHOUT_PHOTO, or a kind of effect; "" for all.
    :raises CursorUnknown:
    """
    conditions = [ImportRow.verdict == kind] if kind else []
    if kind == WITHOUT_PHOTO:
        conditions = [IS_WITHOUT_PHOTO]
    elif kind in effects.KINDS:
        conditions = [effects.has(kind)]
    rows = select(ImportRow).where(ImportRow.batch_id == batch_id, *conditions)
    rows = rows if kind == WRONG else rows.options(defer(ImportRow.cells))
    count = _count(batch_id, *conditions)
    order = BY_REASON if kind == WRONG and count <= MAX_SORTED else ROWS
    return keyset.first_of_rows(keyset.read(rows, order, limit, place)), count


def reason_of(errors: Mapping[str, Refusal] | None) -> Reason:
    """Return why a row is wrong, without what is said of it alone."""
    return tuple((field, refusal["code"]) for field, refusal in (errors or {}).items())


def count_by_reason(batch: ImportBatch) -> Counter[Reason]:
    """Return how many rows are wrong for each reason; of very many nothing."""
    counts: Counter[Reason] = Counter()
    if batch.wrong <= MAX_SORTED:
        wrong = (ImportRow.batch_id == batch.id, ImportRow.verdict == WRONG)
        for errors, count in db.session.execute(select(ERRORS, func.count()).where(*wrong).group_by(ERRORS)):
            counts[reason_of(json.loads(errors))] += count
    return counts


def rows_of(batch_id: int, ids: Collection[int]) -> list[ImportRow]:
    """Return the wrong rows of an import with these ids, in the order of the file."""
    wrong = select(ImportRow).where(ImportRow.batch_id == batch_id, ImportRow.verdict == WRONG, ImportRow.id.in_(ids))
    return list(db.session.execute(wrong.order_by(ImportRow.id)).scalars())


def first_with_effects(batch: ImportBatch) -> dict[str, list[ImportRow]]:
    """Return the first rows with each kind of effect that rows of an import have."""
    first = select(ImportRow).where(ImportRow.batch_id == batch.id).order_by(ImportRow.id).limit(NAMED)
    return {
        kind: list(db.session.execute(first.where(effects.has(kind))).scalars())
        for kind in effects.KINDS
        if batch.effects.get(kind)
    }


def namesakes(rows: Iterable[Any]) -> dict[int, str]:
    """Return the numbers of the employees with the names of rows, and of those whose photos rows have, by their ids."""
    kinds = (effects.KNOWN_ELSEWHERE, effects.PHOTO_REPLACED)
    ids = {effect for row in rows for kind in kinds if type(effect := (row.effects or {}).get(kind)) is int}
    people = db.session.execute(select(Employee.id, Employee.number).where(Employee.id.in_(ids)))
    return {employee_id: number for employee_id, number in people}


def lost_zeros(batch_id: int) -> int:
    """Return of how many digits IDs here are that rows have without the zeros in front; 0 where there are none such.

    Of several lengths it is that of most. A spreadsheet takes the zeros away when it opens a CSV. Where an ID is here
    as the file has it, and would get zeros, too, nothing is to be put back.
    """
    meant, digits = ImportRow.effects[effects.UNKNOWN_IDS].as_string(), "0123456789"
    of_table = (ImportRow.batch_id == batch_id, ImportRow.line.is_not(None))
    is_number = (ImportRow.number != "", func.ltrim(ImportRow.number, digits) == "")
    lost = (*of_table, *is_number, ImportRow.number != meant, func.ltrim(meant, "0") == ImportRow.number)
    lengths = select(func.length(meant)).where(ImportRow.effects.is_not(None), *lost).group_by(func.length(meant))
    length = db.session.execute(lengths.order_by(func.count().desc(), func.length(meant)).limit(1)).scalar()
    if not length:
        return 0
    shorter = (ImportRow.employee_id.is_not(None), func.length(ImportRow.number) < length)
    is_known = db.session.execute(select(ImportRow.id).where(*of_table, *is_number, *shorter).limit(1)).first()
    return 0 if is_known else length


def photos_page(batch_id: int, limit: int, offset: int = 0) -> tuple[list[ImportRow], int]:
    """Return a page of an import's rows with a photo, and how many there are; first those with an odd photo.

    Those are refused, named by nobody, or warned of.
    """
    of_import = (ImportRow.batch_id == batch_id, ImportRow.photo != "")
    rank = case(
        (ImportRow.errors[PHOTO].as_string().is_not(None), 0),
        (ImportRow.warnings[PHOTO].as_string().is_not(None), 1),
        else_=2,
    )
    rows = select(ImportRow).where(*of_import).options(defer(ImportRow.cells)).order_by(rank, ImportRow.id)
    page = db.session.execute(rows.limit(limit).offset(offset), execution_options={"populate_existing": True})
    return list(page.scalars()), _count(batch_id, ImportRow.photo != "")


def find_row(batch_id: int, row_id: int) -> ImportRow | None:
    """Return a row of an import, or None when the import has no such row."""
    row = select(ImportRow).where(ImportRow.id == row_id, ImportRow.batch_id == batch_id)
    return db.session.execute(row).scalar_one_or_none()


def wrong_rows(batch_id: int) -> Iterator[ImportRow]:
    """Yield the rows with something wrong in the order of the file; between portions no transaction is open."""
    wrong = select(ImportRow.id).where(ImportRow.batch_id == batch_id, ImportRow.errors.is_not(None))
    ids = list(db.session.execute(wrong.order_by(ImportRow.id)).scalars())
    for start in range(0, len(ids), BATCH):
        portion = select(ImportRow).where(ImportRow.id.in_(ids[start : start + BATCH])).order_by(ImportRow.id)
        rows = list(db.session.execute(portion).scalars())
        end_read()
        yield from rows
        db.session.expunge_all()


def correctable(batch_id: int) -> int:
    """Return how many wrong rows of the table there are, which can be corrected; photos alone have no cells."""
    return _count(batch_id, ImportRow.verdict == WRONG, ImportRow.cells.is_not(None))


def without_photo(batch_id: int) -> int:
    """Return how many people of an import come in without the photo that is refused."""
    return _count(batch_id, IS_WITHOUT_PHOTO)


def absent(batch: ImportBatch, limit: int = NAMED) -> Absent:
    """Return who is active here and not in the table of an import that was checked; of photos alone nobody is."""
    if not batch.table_name or batch.checked_at is None:
        return Absent()
    row = select(ImportRow.id).where(ImportRow.batch_id == batch.id, ImportRow.number == Employee.number)
    missing = (Employee.is_active, ~row.where(ImportRow.line.is_not(None)).correlate(Employee).exists())
    count = select(func.count(Employee.id))
    active, people = (db.session.execute(count.where(*who)).scalar_one() for who in (missing[:1], missing))
    first = select(Employee).where(*missing).order_by(Employee.number).limit(limit)
    return Absent(active, people, tuple(db.session.execute(first).scalars()) if people else ())


def leavers(batch_id: int, *where: ColumnElement[bool]) -> int:
    """Return how many people an import would deactivate, by those of its rows."""
    left = ImportRow.before["left"].as_string().is_not(None)
    return _count(batch_id, ImportRow.verdict == CHANGED, left, effects.IS_AGREED, *where)


def sent(batch_id: int, terminal: Terminal) -> tuple[int, int]:
    """Return how many people an import would send to its terminal, and of how many a face goes with them.

    The others must be photographed there.
    """
    is_sent = (or_(ImportRow.verdict == NEW, ImportRow.before["terminal"].as_string().is_not(None)), effects.IS_AGREED)
    people = _count(batch_id, *is_sent)
    return people, 0 if terminal.face_mode == BY_URL else _count(batch_id, *is_sent, _HAS_FACE)


def sent_by_groups(batch: ImportBatch) -> list[tuple[Terminal, int, int]]:
    """Return to which terminals of groups an import would send people beside its own, as sent(), by name."""
    if not batch.groups:
        return []
    department = func.coalesce(ImportRow.values["department"].as_string(), Employee.department)
    rows = select(ImportRow.id.label("row_id"), GROUP_TERMINALS.c.terminal_id).select_from(ImportRow)
    by_department = (
        rows.outerjoin(Employee, Employee.id == ImportRow.employee_id)
        .join(Department, Department.name == department)
        .join(GROUP_DEPARTMENTS, GROUP_DEPARTMENTS.c.department_id == Department.id)
        .join(GROUP_TERMINALS, GROUP_TERMINALS.c.group_id == GROUP_DEPARTMENTS.c.group_id)
    )
    alone = rows.join(GROUP_EMPLOYEES, GROUP_EMPLOYEES.c.employee_id == ImportRow.employee_id).join(
        GROUP_TERMINALS, GROUP_TERMINALS.c.group_id == GROUP_EMPLOYEES.c.group_id
    )
    of_batch = ImportRow.batch_id == batch.id
    granted = union(by_department.where(of_batch), alone.where(of_batch)).subquery()
    is_there = select(Enrolment.id).where(
        Enrolment.number == ImportRow.number, Enrolment.terminal_id == Terminal.id, Enrolment.desired == PRESENT
    )
    person = aliased(Employee)  # _HAS_FACE names the table again.
    stays = and_(person.is_active, ImportRow.before["left"].as_string().is_(None))
    statement = (
        select(Terminal, func.count(), func.count().filter(_HAS_FACE))
        .join_from(granted, ImportRow, ImportRow.id == granted.c.row_id)
        .join(Terminal, Terminal.id == granted.c.terminal_id)
        .outerjoin(person, person.id == ImportRow.employee_id)
        .where(or_(ImportRow.verdict == NEW, and_(ImportRow.verdict == CHANGED, stays)), effects.IS_AGREED)
        .where(Terminal.is_active, Terminal.id != (batch.terminal_id or 0), ~is_there.exists())
        .group_by(Terminal.id)
        .order_by(Terminal.name)
    )
    found = db.session.execute(statement)
    return [(terminal, people, 0 if terminal.face_mode == BY_URL else faces) for terminal, people, faces in found]


def applied(batch_id: int) -> int:
    """Return how many rows of an import are applied, and not undone."""
    return _count(batch_id, ImportRow.state == APPLIED)


def _count(batch_id: int, *conditions: ColumnElement[bool]) -> int:
    statement = select(func.count(ImportRow.id)).where(ImportRow.batch_id == batch_id, *conditions)
    return db.session.execute(statement).scalar_one()


def undo_preview(batch_id: int) -> Undoable:
    """Count the rows that can be undone, and those that cannot, since somebody changed their people meanwhile.

    Terminals and photos are checked by the undo itself, which may say of a few more rows why not.
    """
    can, after, lost_faces = 0, 0, LostFacesCount()
    of_employees = select(ImportRow, Employee).join(Employee, Employee.id == ImportRow.employee_id)
    in_order = of_employees.where(ImportRow.batch_id == batch_id, ImportRow.state == APPLIED).order_by(ImportRow.id)
    fresh = {"populate_existing": True}
    while rows := db.session.execute(in_order.where(ImportRow.id > after).limit(BATCH), execution_options=fresh).all():
        after = rows[-1][0].id
        undoable = [(row, employee) for row, employee in rows if _is_undoable(row, employee)]
        can += len(undoable)
        lost_faces.add(undoable)
    return Undoable(can, applied(batch_id) - can, lost_faces.by_terminal)


def _is_undoable(row: ImportRow, employee: Employee) -> bool:
    added_to = row.verdict == NEW and (employee.terminal_name != "" or not employee.is_active)
    return not added_to and undo.is_untouched(employee, written_facts(row))
