"""What came of an import, as programs are told: the numbers of rows, and what is wrong with the wrong ones."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from sqlalchemy import and_, func, select

from hikflask.extensions import db
from hikflask.models import ImportBatch, ImportRow, Job, JobItem
from hikflask.models.import_batch import CHANGED, NEW, OPEN, UNCHANGED, WRONG
from hikflask.models.job import FAILED
from hikflask.services.imports import queries
from hikflask.services.imports.values import NUMBER
from hikflask.services.jobs.import_items import CHANGES

# Field → code and params of a sentence in messages.py.
Errors = dict[str, list[Any]]


@dataclass(frozen=True)
class WrongRow:
    """A row with what is wrong with its fields. `line` is None for a photo of nobody in the table.

    Where only the photo is wrong, its person comes in without it.
    """

    line: int | None
    number: str
    photo: str
    errors: Errors


@dataclass(frozen=True)
class Report:
    """How many rows of an import are new, changed, unchanged and wrong, and the first of the wrong ones.

    Once the import was started, only those count as new or changed that were imported, and those that could not be
    imported count as wrong. `without_photo`: of the new and changed ones, those whose photo is refused.
    """

    batch_id: int
    new: int
    changed: int
    unchanged: int
    wrong: int
    without_photo: int
    rows: list[WrongRow]


def of_batch(batch: ImportBatch, most: int) -> Report:
    """Return the report of an import that was checked.

    :param most: the largest number of wrong rows to return.
    """
    counts = _imported(batch) if batch.import_job_id else _checked(batch)
    rows = list(islice(chain(_wrong(batch), _not_imported(batch)), most))
    without_photo = queries.without_photo(batch.id)
    return Report(batch.id, counts[NEW], counts[CHANGED], counts[UNCHANGED], counts[WRONG], without_photo, rows)


def _checked(batch: ImportBatch) -> Counter[str]:
    return Counter({NEW: batch.new, CHANGED: batch.changed, UNCHANGED: batch.unchanged, WRONG: batch.wrong})


def _imported(batch: ImportBatch) -> Counter[str]:
    job = db.session.get(Job, batch.import_job_id, populate_existing=True)
    done = (ImportRow.batch_id == batch.id, ImportRow.verdict.in_(CHANGES), ImportRow.state != OPEN)
    found = db.session.execute(
        select(ImportRow.verdict, func.count(ImportRow.id)).where(*done).group_by(ImportRow.verdict)
    )
    counts = Counter({verdict: count for verdict, count in found})
    counts[UNCHANGED], counts[WRONG] = batch.unchanged, batch.wrong + (job.failed if job else 0)
    return counts


def _wrong(batch: ImportBatch) -> Iterator[WrongRow]:
    for row in queries.wrong_rows(batch.id):
        yield WrongRow(row.line, row.number, row.photo, row.errors or {})


def _not_imported(batch: ImportBatch) -> Iterator[WrongRow]:
    """Yield the rows that the dry run had no objection to, and that could not be imported after all."""
    same = (ImportRow.batch_id == batch.id, ImportRow.number == JobItem.number, ImportRow.verdict.in_(CHANGES))
    failed = (
        select(ImportRow.line, JobItem.number, ImportRow.photo, JobItem.error, JobItem.error_params)
        .outerjoin(ImportRow, and_(*same))
        .where(JobItem.job_id == batch.import_job_id, JobItem.state == FAILED)
        .order_by(JobItem.id)
    )
    for line, number, photo, code, params in db.session.execute(failed):
        yield WrongRow(line, number, photo or "", {NUMBER: [code, params or {}]})
