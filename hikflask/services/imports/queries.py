"""Reads the rows of imports, always fresh from the database."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import defer

from hikflask.extensions import db
from hikflask.models import Employee, ImportRow
from hikflask.models.import_batch import APPLIED, CHANGED, NEW
from hikflask.services.core import keyset
from hikflask.services.core.db import end_read
from hikflask.services.core.keyset import FIRST, Keyset, Page, Place
from hikflask.services.imports import undo

BATCH = 100
ROWS = Keyset((ImportRow.id.asc(),), "rows of an import")
# Beside the verdicts: the rows whose people come in without the photo, as it is refused.
WITHOUT_PHOTO = "without_photo"


@dataclass(frozen=True)
class Undoable:
    """How many rows of an import can be undone, and how many not, since their people were changed or deleted."""

    can: int
    changed: int

    @property
    def rows(self) -> int:
        """How many rows are applied."""
        return self.can + self.changed


def rows_page(batch_id: int, kind: str, limit: int, place: Place = FIRST) -> tuple[Page[ImportRow], int]:
    """Return a page of an import's rows in the order of the file, and how many there are in all.

    :param kind: the verdict that the rows have, or WITHOUT_PHOTO; "" for all.
    :raises CursorUnknown:
    """
    mine = _of(batch_id, kind)
    rows = select(ImportRow).where(*mine).options(defer(ImportRow.cells))
    page = keyset.first_of_rows(keyset.read(rows, ROWS, limit, place))
    return page, db.session.execute(select(func.count(ImportRow.id)).where(*mine)).scalar_one()


def wrong_rows(batch_id: int) -> Iterator[ImportRow]:
    """Yield the rows with something wrong in the order of the file; between portions no transaction is open."""
    mine = (ImportRow.batch_id == batch_id, ImportRow.errors.is_not(None))
    ids = list(db.session.execute(select(ImportRow.id).where(*mine).order_by(ImportRow.id)).scalars())
    for start in range(0, len(ids), BATCH):
        some = select(ImportRow).where(ImportRow.id.in_(ids[start : start + BATCH])).order_by(ImportRow.id)
        found = list(db.session.execute(some).scalars())
        end_read()
        yield from found
        db.session.expunge_all()


def without_photo(batch_id: int) -> int:
    """Return how many people of an import come in without the photo that is refused."""
    refused = select(func.count(ImportRow.id)).where(*_of(batch_id, WITHOUT_PHOTO))
    return db.session.execute(refused).scalar_one()


def leavers(batch_id: int) -> int:
    """Return how many people an import would deactivate, or did."""
    leaves = (ImportRow.verdict == CHANGED, ImportRow.before["left"].as_string().is_not(None))
    statement = select(func.count(ImportRow.id)).where(ImportRow.batch_id == batch_id, *leaves)
    return db.session.execute(statement).scalar_one()


def sent(batch_id: int) -> int:
    """Return how many people an import would send to the terminal that was chosen for it."""
    to_terminal = or_(ImportRow.verdict == NEW, ImportRow.before["terminal"].as_string().is_not(None))
    statement = select(func.count(ImportRow.id)).where(ImportRow.batch_id == batch_id, to_terminal)
    return db.session.execute(statement).scalar_one()


def applied(batch_id: int) -> int:
    """Return how many rows of an import are applied, and not undone."""
    mine = (ImportRow.batch_id == batch_id, ImportRow.state == APPLIED)
    return db.session.execute(select(func.count(ImportRow.id)).where(*mine)).scalar_one()


def undo_preview(batch_id: int) -> Undoable:
    """Count the rows that can be undone, and those that cannot, since somebody changed their people meanwhile.

    Terminals and photos are looked at by the undo itself, which may say of a few more rows why not.
    """
    can, after = 0, 0
    while found := _applied(batch_id, after):
        after = found[-1][0].id
        can += sum(employee is not None and _is_undoable(row, employee) for row, employee in found)
    return Undoable(can, applied(batch_id) - can)


def _applied(batch_id: int, after: int) -> list[tuple[ImportRow, Employee | None]]:
    statement = (
        select(ImportRow, Employee)
        .outerjoin(Employee, Employee.id == ImportRow.employee_id)
        .where(ImportRow.batch_id == batch_id, ImportRow.state == APPLIED, ImportRow.id > after)
        .order_by(ImportRow.id)
        .limit(BATCH)
    )
    rows = db.session.execute(statement, execution_options={"populate_existing": True})
    return [(row, employee) for row, employee in rows]


def _is_undoable(row: ImportRow, employee: Employee) -> bool:
    added_to = row.verdict == NEW and (employee.terminal_name != "" or not employee.is_active)
    return not added_to and undo.is_untouched(employee, row.number, row.written or {})


def _of(batch_id: int, kind: str) -> tuple[ColumnElement[bool], ...]:
    mine = ImportRow.batch_id == batch_id
    if kind == WITHOUT_PHOTO:
        return mine, ImportRow.verdict.in_((NEW, CHANGED)), ImportRow.errors.is_not(None)
    return (mine, ImportRow.verdict == kind) if kind else (mine,)
