"""Reads the rows of imports, always fresh from the database."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select

from hikflask.extensions import db
from hikflask.models import ImportRow
from hikflask.models.import_batch import WRONG
from hikflask.services.imports import undo

BATCH = 500


@dataclass(frozen=True)
class Undoable:
    """How many rows of an import can be undone, and how many not, since their people were changed or deleted."""

    can: int
    changed: int


def rows_page(batch_id: int, verdict: str, limit: int, offset: int = 0) -> tuple[list[ImportRow], int]:
    """Return a page of an import's rows in the order of the file, and how many there are in all.

    :param verdict: the verdict that the rows have; "" for all.
    """
    mine = _of(batch_id, verdict)
    statement = select(ImportRow).where(*mine).order_by(ImportRow.id).limit(limit).offset(offset)
    page = list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())
    return page, db.session.execute(select(func.count(ImportRow.id)).where(*mine)).scalar_one()


def wrong_rows(batch_id: int) -> Iterator[ImportRow]:
    """Yield the wrong rows in the order of the file; between portions no transaction is open."""
    after = 0
    while found := _some(batch_id, WRONG, after):
        after = found[-1].id
        yield from found
        db.session.expunge_all()


def _some(batch_id: int, verdict: str, after: int) -> list[ImportRow]:
    mine = (*_of(batch_id, verdict), ImportRow.id > after)
    found = list(db.session.execute(select(ImportRow).where(*mine).order_by(ImportRow.id).limit(BATCH)).scalars())
    db.session.commit()
    return found


def leavers(batch_id: int) -> int:
    """Return how many people an import would deactivate, or did."""
    statement = select(func.count(ImportRow.id)).where(ImportRow.batch_id == batch_id, LEAVES)
    return db.session.execute(statement).scalar_one()


def undo_preview(batch_id: int) -> Undoable:
    """Count the rows that can be undone, and those that cannot, since somebody changed their people meanwhile.

    Whether a former photo is still there is found out by the undo itself.
    """
    return undo.preview(batch_id)


def _of(batch_id: int, verdict: str) -> tuple[ColumnElement[bool], ...]:
    mine = ImportRow.batch_id == batch_id
    return (mine, ImportRow.verdict == verdict) if verdict else (mine,)
