"""Runs a claimed job for a moment, item by item: what an item does and its mark are one transaction.

So a worker that is killed at any moment leaves no item half done, and whoever goes on does none twice and skips none.
"""

import time

from sqlalchemy import select, update

from hikflask.extensions import db
from hikflask.models import Job, JobItem
from hikflask.models.job import DONE, FAILED, WAITING
from hikflask.services import audit
from hikflask.services.audit import Actor
from hikflask.services.core.db import changed_rows
from hikflask.services.core.errors import ServiceError
from hikflask.services.core.progress import ClaimLost
from hikflask.services.jobs import lifecycle
from hikflask.services.jobs.kinds import KINDS
from hikflask.services.jobs.lifecycle import CLAIM_SECONDS, WHOLE_DONE, Claim
from hikflask.services.jobs.progress import JobProgress

# Then other jobs have their turn, and the worker may stop.
SLICE_SECONDS = 1.0
BATCH = 50


def run_slice(claim: Claim, seconds: float = SLICE_SECONDS) -> bool:
    """Run a job for so many seconds; what it does as a whole is done to its end. True when something is left to do.

    The audit trail names the operator who started it.
    """
    until = time.monotonic() + seconds
    job = lifecycle.take(claim)
    if job is None:
        return False
    with audit.acting(Actor(job.requested_by)):
        if not _do_whole(job, claim):
            return False
        while items := _next_items(claim.job_id):
            for item in items:
                began = time.monotonic()
                if not _run(job, item, claim):
                    return False
                if time.monotonic() >= until:
                    return True
                # SQLite has one writer at a time, and no queue: whoever saves something gets in between two items.
                time.sleep(time.monotonic() - began)
    if end := KINDS[job.kind].end:
        end(job.params)
    lifecycle.finish(claim)
    return False


def run_to_end(claim: Claim) -> None:
    """Run a job to its end in the caller's thread, as a command or a call that waits for it."""
    while run_slice(claim, CLAIM_SECONDS):
        pass


def _do_whole(job: Job, claim: Claim) -> bool:
    """Do what the job's kind does as a whole, unless it is done. False: the job is over."""
    whole = KINDS[job.kind].whole
    if whole is None or job.params.get(WHOLE_DONE):
        return True
    try:
        whole(job, JobProgress(claim))
    except ClaimLost:
        return False
    except ServiceError as error:
        db.session.rollback()
        lifecycle.fail(claim, error)
        return False
    except BaseException:
        db.session.rollback()
        raise
    lifecycle.begin_items(claim)
    return True


def _next_items(job_id: int) -> list[JobItem]:
    left = select(JobItem).where(JobItem.job_id == job_id, JobItem.state == WAITING).order_by(JobItem.id).limit(BATCH)
    items = list(db.session.execute(left, execution_options={"populate_existing": True}).scalars())
    db.session.commit()
    return items


def _run(job: Job, item: JobItem, claim: Claim) -> bool:
    """Do one item. False, and nothing is done, when the job is not ours any more or somebody stopped it."""
    try:
        written = _outcome(job, item)
        if not lifecycle.count(claim, failed=written["state"] == FAILED):
            db.session.rollback()
            return False
        changed_rows(update(JobItem).where(JobItem.id == item.id).values(**written))
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
    return True


def _outcome(job: Job, item: JobItem) -> dict[str, object]:
    """Do what the job is for; return what is written to the item. What was refused left nothing behind."""
    run = KINDS[job.kind].run
    if run is None:
        raise TypeError(f"{job.kind} is nothing to run")
    try:
        run(item, job.params)
        db.session.flush()
    except ServiceError as error:
        db.session.rollback()
        return {"state": FAILED, "error": error.code, "error_params": error.params}
    return {"state": DONE}
