"""Runs a claimed job for a moment, item by item: what an item does and its mark are one transaction.

So a worker that is killed at any moment leaves no item half done, and whoever goes on does none twice and skips none.
"""

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import select, update

from hikflask import request_id
from hikflask.extensions import db
from hikflask.isapi.errors import TerminalError
from hikflask.models import Job, JobItem
from hikflask.models.job import DONE, FAILED, SENT, WAITING
from hikflask.models.refusal import without_values
from hikflask.services import audit
from hikflask.services.audit import Actor
from hikflask.services.core.db import changed_rows, end_read, transactional
from hikflask.services.core.errors import ServiceError
from hikflask.services.core.progress import ClaimLost
from hikflask.services.enrolments import mass_removals
from hikflask.services.jobs import lifecycle, losses, settle, troubles
from hikflask.services.jobs.kinds import KINDS, Run
from hikflask.services.jobs.lifecycle import CLAIM_SECONDS, WHOLE_DONE, Claim
from hikflask.services.jobs.progress import JobProgress
from hikflask.services.jobs.troubles import Trouble

log = logging.getLogger(__name__)
# What is written to an item.
Outcome = dict[str, Any]
# Then other jobs have their turn, and the worker may stop.
SLICE_SECONDS = 1.0
BATCH = 50
# After so many seconds it is looked again whether terminals confirmed what was sent.
LOOK_SECONDS = 3.0


def run_slice(claim: Claim, seconds: float = SLICE_SECONDS) -> bool:
    """Run a job for so many seconds; what it does as a whole is done until that returns.

    True: more is left to do at once. The audit trail names the operator who started it.
    """
    until = time.monotonic() + seconds
    job = lifecycle.take(claim)
    if job is None:
        return False
    with request_id.working_for(job.request_id):
        log.info("job %s (%s): %s of %s done", job.id, job.kind, job.done, job.total)
        try:
            with audit.acting(Actor(job.requested_by)):
                return _work(job, claim, until)
        except ClaimLost:
            log.info("job %s: it is not to go on", claim.job_id)
        except Trouble as trouble:
            troubles.end_slice(job, claim, trouble.error)
    return False


def run_to_end(claim: Claim) -> None:
    """Run a job to its end in the caller's thread, as a command or a call that waits for it."""
    while run_slice(claim, CLAIM_SECONDS):
        pass


def _work(job: Job, claim: Claim, until: float) -> bool:
    """Do the next part of a job. True: more is left to do at once.

    :raises ClaimLost: when it is not ours any more, or somebody stopped it.
    :raises Trouble: when it cannot go on now, or never.
    """
    kind = KINDS[job.kind]
    if not settle.failed_wait_again(job, claim, until) or not _do_whole(job, claim):
        return True
    is_left = _do_items(job, claim, until)
    sent_up_to = settle.look(job, claim, until) if kind.settles else None
    if is_left:
        return True
    if sent_up_to is not None:
        lifecycle.pause(claim, LOOK_SECONDS, {"after": sent_up_to})
        return False
    if kind.end:
        kind.end(job.params)
    lifecycle.finish(claim)
    return False


def _do_whole(job: Job, claim: Claim) -> bool:
    """Do what the job's kind does as a whole, unless it is done. False: more of it is left."""
    whole = KINDS[job.kind].whole
    if whole is None or job.params.get(WHOLE_DONE):
        return True
    try:
        is_left = whole(job, JobProgress(claim))
    except (TerminalError, ServiceError) as error:
        raise Trouble(error) from error
    if is_left:
        settle.hold(claim)
        return False
    lifecycle.begin_items(claim)
    return True


def _do_items(job: Job, claim: Claim, until: float) -> bool:
    """Do the items that wait, until the time is over. True: some are left."""
    while items := _next_items(claim.job_id):
        for item in items:
            began = time.monotonic()
            _run(job, item, claim)
            if time.monotonic() >= until:
                return True
            # SQLite has one writer at a time, and no queue: whoever saves something gets in between two items. An item
            # that talks to a terminal leaves the database alone meanwhile.
            if not KINDS[job.kind].talks:
                end_read()
                time.sleep(time.monotonic() - began)
    return False


def _next_items(job_id: int) -> list[JobItem]:
    left = select(JobItem).where(JobItem.job_id == job_id, JobItem.state == WAITING).order_by(JobItem.id).limit(BATCH)
    return list(db.session.execute(left, execution_options={"populate_existing": True}).scalars())


def _run(job: Job, item: JobItem, claim: Claim) -> None:
    """Do one item. Nothing is done when the job is not ours any more, or somebody stopped it.

    :raises ClaimLost: :raises Trouble: as in _work().
    """
    kind, mark = KINDS[job.kind], partial(_mark, claim, item.id, item.number)
    try:
        with kind.prepared(item, job.params) as run:
            _run_and_mark(job, run, mark)
    except (TerminalError, ServiceError) as error:
        if kind.talks and troubles.concerns_all(job, error):
            raise Trouble(error) from error
        mark({"state": FAILED, "refusal": troubles.refusal(job, error)})


@transactional
def _run_and_mark(job: Job, run: Run, mark: Callable[[Outcome], None]) -> None:
    """Do what the job is for, and write how the item ended."""
    with mass_removals.noted() as lost:
        enrolment = run()
    if lost:
        losses.take(job, lost)
    if KINDS[job.kind].settles and enrolment is not None:
        mark({"state": SENT, "enrolment_id": enrolment.id, "desired": enrolment.desired})
    else:
        mark({"state": DONE})


@transactional
def _mark(claim: Claim, item_id: int, number: str, outcome: Outcome) -> None:
    """Write how an item ended, and count it, unless it is only sent.

    :param number: as it was when the item was read.
    :raises ClaimLost: when the job is not to go on.
    """
    item, ended = update(JobItem).where(JobItem.id == item_id), outcome["state"] != SENT
    if not lifecycle.count(claim, done=int(ended), failed=int(outcome["state"] == FAILED)):
        raise ClaimLost
    if not changed_rows(item.where(JobItem.number == number).values(**outcome)):
        # The number is blank: the employee was erased meanwhile, so nothing about them is written any more.
        if "refusal" in outcome:
            outcome["refusal"] = without_values(outcome["refusal"])
        changed_rows(item.values(**outcome))
