"""Ends the time of imports: files after a day, imports that nobody started after a day, the others with their jobs."""

from collections.abc import Callable

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from hikflask.extensions import db
from hikflask.models import ImportBatch, ImportRow, Job
from hikflask.models.columns import database_now
from hikflask.models.job import DONE, OPEN
from hikflask.services.core.dates import SECONDS_PER_DAY
from hikflask.services.core.db import CLEANUP_BATCH, changed_rows, transaction
from hikflask.services.import_files import stored_files
from hikflask.services.imports import batches
from hikflask.services.imports.batches import ROWS

UNSTARTED_SECONDS = SECONDS_PER_DAY
# A file without an import, as of a process that was killed while it was stored.
STRAY_SECONDS = 3600.0
JOBS = (ImportBatch.check_job_id, ImportBatch.import_job_id, ImportBatch.undo_job_id)


def forget_imports() -> int:
    """Delete the imports whose time is over, with their files; return how many.

    The rows go first, a few at a time, so that an import of very many holds nobody up.
    """
    _remove_files()
    old = select(ImportBatch.id).where(_is_over()).order_by(ImportBatch.id).limit(CLEANUP_BATCH)
    rows = select(ImportRow.id).where(ImportRow.batch_id.in_(old)).limit(ROWS)
    empty = ~exists().where(ImportRow.batch_id == ImportBatch.id)
    without_files = (ImportBatch.table_file == "", ImportBatch.photos_file == "")
    with transaction():
        changed_rows(delete(ImportRow).where(ImportRow.id.in_(rows)))
        return changed_rows(delete(ImportBatch).where(ImportBatch.id.in_(old), empty, *without_files))


def _is_over() -> ColumnElement[bool]:
    """The condition that an import was not started within a day, or that its jobs are forgotten (changes/retention)."""
    is_without_jobs = and_(ImportBatch.import_job_id.is_(None), ImportBatch.undo_job_id.is_(None))
    return and_(_is_old(), is_without_jobs, ~_has_job(_is_open()))


def _is_old() -> ColumnElement[bool]:
    return ImportBatch.created_at < database_now(-UNSTARTED_SECONDS)


def _is_open() -> ColumnElement[bool]:
    return Job.state.in_(OPEN)


def _has_job(*where: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(or_(*(Job.id == column for column in JOBS)), *where)


def _remove_files() -> None:
    """Remove the files of imports that began or ended, or that nobody used for a day, and those of no import."""
    stale = and_(_is_old(), ~_has_job(_is_open()))
    imported = exists().where(Job.id == ImportBatch.import_job_id, Job.state == DONE)
    began = and_(ImportBatch.checked_at.is_not(None), ImportBatch.import_job_id.is_not(None))
    _remove(ImportBatch.table_file, or_(stale, began), batches.remove_table)
    _remove(ImportBatch.photos_file, or_(stale, imported), batches.remove_photos)
    files = db.session.execute(select(ImportBatch.table_file, ImportBatch.photos_file)).all()
    stored_files.remove_strays({name for row in files for name in row}, STRAY_SECONDS)


def _remove(column: InstrumentedAttribute[str], is_over: ColumnElement[bool], remove: Callable[[int], None]) -> None:
    ids = db.session.execute(select(ImportBatch.id).where(column != "", is_over).limit(CLEANUP_BATCH)).scalars().all()
    for batch_id in ids:
        remove(batch_id)
