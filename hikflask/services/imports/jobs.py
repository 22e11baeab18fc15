"""The jobs of imports: the dry run, the import, and its undo. Each is started once, even if several try it."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import delete, exists, or_, update
from sqlalchemy.orm import InstrumentedAttribute

from hikflask.extensions import db
from hikflask.models import ImportBatch, Job, JobItem
from hikflask.models.job import FAILED, OPEN, STOPPED
from hikflask.services import audit
from hikflask.services.changes import lifecycle
from hikflask.services.changes.kinds import (
    AGREED,
    CHECK_FIRST,
    CONFIRMED,
    IMPORT,
    IMPORT_CHECK,
    IMPORT_UNDO,
    LOCKED,
    LOSSES,
    WITHHELD,
    Params,
)
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.core.db import changed_rows, transaction, transactional
from hikflask.services.core.errors import NotFound, PlanChanged, ServiceError
from hikflask.services.core.progress import Progress
from hikflask.services.enrolments.mass_removals import Confirmation, Losses
from hikflask.services.imports import batches, dry_run, effects, job_items, losses, queries
from hikflask.services.imports.table.options import Options
from hikflask.services.imports.undo import undo_row

JobColumn = InstrumentedAttribute[int | None]


@transactional
def start_check(batch_id: int) -> Claim:
    """Start the dry run of an import.

    :raises import_unknown: :raises import_checked: when it was checked already.
    :raises import_started: when it is being checked.
    """
    batch = batches.get_one(batch_id)
    if batch.checked_at is not None:
        raise ServiceError("import_checked")
    return _start(batch, IMPORT_CHECK, ImportBatch.check_job_id, batch.layout.get("rows", 0), {})


@transactional
def start_fixing(batch_id: int, digits: int = 0) -> Claim:
    """Start the dry run of an import anew, with letters of the other alphabet and invisible signs mended.

    :param digits: IDs get zeros in front up to so many digits, and the letters stay; 0: they get none.
    :raises import_not_checked: when nobody chose its columns yet, or the dry run goes on.
    :raises import_unknown: :raises import_started: :raises import_file_gone: as batches.reopen() and start_check().
    """
    if batches.get_one(batch_id).checked_at is None:
        raise ServiceError("import_not_checked")
    batches.reopen(batch_id)
    batch = batches.get_one(batch_id)
    options = Options.from_json(batch.options)
    batch.options = replace(options, **({"pad_to": digits} if digits else {"mend_texts": True})).as_json
    db.session.flush()
    return start_check(batch_id)


@transactional
def start_import(
    batch_id: int, agreed: Confirmation, seen: datetime | None = None, *, withholds: bool = False
) -> Claim:
    """Start an import that was checked. One that was stopped, or interrupted, goes on with the rows that are left.

    :param withholds: where many lose access and that is not confirmed, rows that take a terminal are left out.
    :param seen: when it was checked, as the caller knows it who has decided by its rows; None: nobody has.
    :raises import_unknown: :raises import_not_checked: :raises import_started: when it was started already.
    :raises PlanChanged: when its rows are corrected or confirmed since.
    :raises AdministratorNeeded: :raises UnsafePlan: when many lose access through it, as Losses.require().
    """
    batch = batches.get_one(batch_id)
    if batch.checked_at is None:
        raise ServiceError("import_not_checked")
    _refuse_undone(batch)
    if seen is not None and batch.checked_at != seen:
        raise PlanChanged
    lost, params, withheld = losses.of_import(batch_id), {}, False
    if withholds and lost.exceeds_limit and agreed.confirm != lost.people:
        # Nothing is required of it: what is not taken does not count as taken within a day.
        lost, params, withheld = Losses(), {WITHHELD: True}, True
    lost.require(agreed)
    batches.record_new_departments(batch_id)
    people = job_items.count(batch_id, withheld=withheld)
    return _start(batch, IMPORT, ImportBatch.import_job_id, people, {LOSSES: lost.as_json, **params})


@transactional
def start_check_and_import(batch_id: int, agreed: Confirmation, confirmed: Collection[str] = ()) -> Claim:
    """Start the dry run and the import as one job, which fails after the dry run where many would lose access.

    :param confirmed: the numbers of the rows whose wholly other names are confirmed.
    :raises import_unknown: :raises import_started: when the dry run or the import was started already.
    """
    batch = batches.get_one(batch_id)
    if batch.check_job_id is not None:
        raise ServiceError("import_started", job=batch.check_job_id)
    _refuse_undone(batch)
    params = {CHECK_FIRST: True, AGREED: agreed.as_json, CONFIRMED: list(confirmed)}
    return _start(batch, IMPORT, ImportBatch.import_job_id, batch.layout.get("rows", 0), params)


@transactional
def start_undo(batch_id: int, agreed: Confirmation, rows: int | None = None) -> Claim:
    """Start to undo an import. An undo that was stopped, or interrupted, goes on with the rows that are left.

    :param rows: how many rows were applied when somebody was asked; None: nobody was.
    :raises import_unknown: :raises nothing_to_undo: :raises import_started: while the import runs, and when the undo
        was started already. :raises PlanChanged: when other rows are applied by now.
    :raises AdministratorNeeded: :raises UnsafePlan: when many lose access through it, as Losses.require().
    """
    batch = batches.get_one(batch_id)
    job = db.session.get(Job, batch.import_job_id, populate_existing=True) if batch.import_job_id else None
    if job and job.is_open:
        raise ServiceError("import_started", job=job.id)
    people = queries.applied(batch_id)
    if not people:
        raise ServiceError("nothing_to_undo")
    if rows is not None and rows != people:
        raise PlanChanged
    lost = losses.of_undo(batch_id)
    lost.require(agreed)
    return _start(batch, IMPORT_UNDO, ImportBatch.undo_job_id, people, {LOSSES: lost.as_json})


def forget_dry_run(batch_id: int) -> None:
    """Delete an import that was only checked, with the job of its dry run: somebody wanted to see it once."""
    batch = batches.get(batch_id)
    job_id = batch.check_job_id if batch else None
    if batches.discard(batch_id) and job_id is not None:
        with transaction():
            changed_rows(delete(Job).where(Job.id == job_id, Job.state.not_in(OPEN)))


def _refuse_undone(batch: ImportBatch) -> None:
    if batch.undo_job_id is not None:
        raise ServiceError("import_started", job=batch.undo_job_id)


def _start(batch: ImportBatch, kind: str, column: JobColumn, people: int, params: dict[str, Any]) -> Claim:
    """Make the job and start it, by compare-and-set: dry run, import and undo are still as they were read.

    :raises import_unknown: when somebody discards the import at this moment. :raises PlanChanged: when corrects it.
    """
    batch_id = batch.id
    job = Job(kind=kind, params={"batch": batch_id, **params}, total=people)
    db.session.add(job)
    db.session.flush()
    ended = exists().where(Job.id == column, Job.state.in_((STOPPED, FAILED)))
    steps = (ImportBatch.checked_at, ImportBatch.import_job_id, ImportBatch.undo_job_id)
    same = [step.is_not_distinct_from(getattr(batch, step.key)) for step in steps]
    unchanged = update(ImportBatch).where(ImportBatch.id == batch_id, *same, or_(column.is_(None), ended))
    if not changed_rows(unchanged.values({column: job.id})):
        now = batches.get_one(batch_id)
        job_id = getattr(now, column.key) or now.import_job_id
        if job_id:
            raise ServiceError("import_started", job=job_id)
        raise NotFound("import_unknown") if now.checked_at is None else PlanChanged
    if kind == IMPORT_UNDO:
        audit.record("import.undone", subject=f"import {batch_id}", after={"people": people})
    return cast("Claim", lifecycle.start(job.id, {}))


def check(job: Job, progress: Progress) -> None:
    """Do the dry run of a job."""
    dry_run.check(batches.get_one(job.params["batch"]), progress)


def add_items(job: Job, progress: Progress) -> None:
    """Add the items of an import's job, after the dry run where that is a part of it.

    :raises AdministratorNeeded: :raises UnsafePlan: as Losses.require(), by what was agreed before the dry run.
    """
    if job.params.get(CHECK_FIRST):
        check(job, progress)
        with transaction():
            effects.confirm_numbers(job.params["batch"], job.params.get(CONFIRMED, []))
            lost = losses.of_import(job.params["batch"])
            lost.require(Confirmation(**job.params[AGREED]))
            batches.record_new_departments(job.params["batch"])
            # The dry run takes long, and meanwhile somebody may have been erased.
            db.session.refresh(job, ["params"], with_for_update=LOCKED)
            job.params = {**job.params, LOSSES: lost.as_json}
    batches.remove_table(job.params["batch"])
    job_items.add(job, progress, withheld=job.params.get(WITHHELD, False))


def undo(item: JobItem, params: Params) -> None:
    """Undo the row of an item."""
    undo_row(job_items.row_of(item, params["batch"]))
