"""The items of an import and of its undo: one for each row that changes something, found again by its number."""

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, literal, select

from hikflask.extensions import db
from hikflask.models import ImportRow, Job, JobItem
from hikflask.models.import_batch import APPLIED, CHANGED, NEW, OPEN
from hikflask.models.job import WAITING
from hikflask.services.core.db import changed_rows, kept_employees, transaction
from hikflask.services.core.errors import ServiceError
from hikflask.services.core.progress import Progress
from hikflask.services.imports.effects import IS_AGREED, TAKES_ACCESS

# Rows that are copied in one transaction.
BATCH = 2000
CHANGES = (NEW, CHANGED)
# The row of a number that changes something. Made once: to make a statement costs more than to run it.
ROW = select(ImportRow).where(
    ImportRow.batch_id == bindparam("batch_id"),
    ImportRow.number == bindparam("number"),
    ImportRow.verdict.in_(CHANGES),
)
ROW = ROW.execution_options(populate_existing=True)


def add(job: Job, progress: Progress, *, undo: bool = False, withheld: bool = False) -> None:
    """Add an item for each row of an import that is not applied yet, in the order of the file.

    Rows that somebody must confirm first, and nobody did, are left out.

    The rows are copied in portions. What a killed worker copied before is deleted first.

    What was counted before and has no item is done: where the job began with the dry run, all that changes nothing.

    :param undo: an item for each row that is applied, the last one first.
    :param withheld: rows that take somebody's terminal are left out, too.
    :raises ClaimLost:
    """
    rows = _rows(job.params["batch"], undo=undo, withheld=withheld)
    with transaction():
        changed_rows(delete(JobItem).where(JobItem.job_id == job.id))
        items = _count(rows)
        counted = db.session.execute(select(Job.total).where(Job.id == job.id)).scalar_one()
        total = max(items, counted)
        progress.report(total - items, total)
    order = ImportRow.id.desc() if undo else ImportRow.id.asc()
    ids = list(db.session.execute(select(ImportRow.id).where(*rows).order_by(order)).scalars())
    for start in range(0, len(ids), BATCH):
        portion = sorted(ids[start : start + BATCH])
        of_portion = (*rows, ImportRow.id.between(portion[0], portion[-1]))
        columns = (ImportRow.employee_id, ImportRow.number, literal(job.id), literal(WAITING))
        names = ["employee_id", "number", "job_id", "state"]
        with transaction():
            # Nobody is erased before these items can be seen.
            kept_employees(db.session.execute(select(ImportRow.employee_id).where(*of_portion)).scalars().all())
            of_items = select(*columns).where(*of_portion).order_by(order)
            db.session.execute(insert(JobItem).from_select(names, of_items))
            progress.report(total - items, total)


def count(batch_id: int, *, withheld: bool = False) -> int:
    """Return for how many rows add() adds an item; an import that was stopped goes on with those that are left."""
    return _count(_rows(batch_id, withheld=withheld))


def _count(rows: list[ColumnElement[bool]]) -> int:
    return db.session.execute(select(func.count(ImportRow.id)).where(*rows)).scalar_one()


def _rows(batch_id: int, *, undo: bool = False, withheld: bool = False) -> list[ColumnElement[bool]]:
    rows = [ImportRow.batch_id == batch_id, ImportRow.verdict.in_(CHANGES)]
    rows += [ImportRow.state == APPLIED] if undo else [ImportRow.state == OPEN, IS_AGREED]
    return [*rows, ~TAKES_ACCESS] if withheld else rows


def row_of(item: JobItem, batch_id: int) -> ImportRow:
    """Return the row of an item.

    :raises import_row_gone: when it was deleted with all data of its person.
    """
    row: ImportRow | None = db.session.execute(ROW, {"batch_id": batch_id, "number": item.number}).scalar_one_or_none()
    if row is None:
        raise ServiceError("import_row_gone")
    return row
