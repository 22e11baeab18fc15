"""The items of an import and of its undo: one for each row that changes something, found again by its number."""

from sqlalchemy import ColumnElement, delete, func, insert, literal, select

from hikflask.extensions import db
from hikflask.models import ImportRow, JobItem
from hikflask.models.import_batch import APPLIED, CHANGED, NEW, OPEN
from hikflask.models.job import WAITING
from hikflask.services.core.db import changed_rows, kept_employees, transaction
from hikflask.services.core.errors import ServiceError
from hikflask.services.core.progress import Progress

# Rows that are copied in one transaction.
BATCH = 2000
CHANGES = (NEW, CHANGED)


def add(job_id: int, batch_id: int, progress: Progress) -> None:
    """Add an item for each row of an import that is not applied yet, in the order of the file.

    :raises ClaimLost:
    """
    open_rows = (ImportRow.batch_id == batch_id, ImportRow.verdict.in_(CHANGES), ImportRow.state == OPEN)
    _add(job_id, open_rows, progress)


def add_reversed(job_id: int, batch_id: int, progress: Progress) -> None:
    """Add an item for each row of an import that is applied, the last one first.

    :raises ClaimLost:
    """
    applied = (ImportRow.batch_id == batch_id, ImportRow.verdict.in_(CHANGES), ImportRow.state == APPLIED)
    _add(job_id, applied, progress, backwards=True)


def _add(job_id: int, rows: tuple[ColumnElement[bool], ...], progress: Progress, *, backwards: bool = False) -> None:
    """Copy the rows in portions. What a killed worker copied before is deleted first."""
    with transaction():
        changed_rows(delete(JobItem).where(JobItem.job_id == job_id))
        total = db.session.execute(select(func.count(ImportRow.id)).where(*rows)).scalar_one()
        progress.report(0, total)
    order = ImportRow.id.desc() if backwards else ImportRow.id.asc()
    ids = list(db.session.execute(select(ImportRow.id).where(*rows).order_by(order)).scalars())
    for start in range(0, len(ids), BATCH):
        part = sorted(ids[start : start + BATCH])
        these = (*rows, ImportRow.id.between(part[0], part[-1]))
        chosen = select(ImportRow.employee_id, ImportRow.number, literal(job_id), literal(WAITING)).where(*these)
        names = ["employee_id", "number", "job_id", "state"]
        with transaction():
            # Nobody is erased before these items can be seen.
            kept_employees(db.session.execute(select(ImportRow.employee_id).where(*these)).scalars().all())
            db.session.execute(insert(JobItem).from_select(names, chosen.order_by(order)))
            progress.report(0, total)


def row_of(item: JobItem, batch_id: int) -> ImportRow:
    """Return the row of an item.

    :raises import_row_gone: when it was deleted with all data of its person.
    """
    mine = (ImportRow.batch_id == batch_id, ImportRow.number == item.number, ImportRow.verdict.in_(CHANGES))
    statement = select(ImportRow).where(*mine)
    row = db.session.execute(statement, execution_options={"populate_existing": True}).scalar_one_or_none()
    if row is None:
        raise ServiceError("import_row_gone")
    return row
