"""Runs a claimed job for a moment, item by item: what an item does and its mark are one transaction.

So a worker that is killed at any moment leaves no item half done, and the next worker does none twice and skips none.
"""

import logging
import time
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

from sqlalchemy import bindparam, select, update

from hikflask import disk_space, request_id
from hikflask.extensions import db
from hikflask.isapi.errors import AccountLocked, TerminalError
from hikflask.models import Job, JobItem, Terminal
from hikflask.models.job import DONE, FAILED, SENT, WAITING
from hikflask.models.refusal import Refusal, without_values
from hikflask.services import audit
from hikflask.services.audit import Actor
from hikflask.services.changes import agreement, lifecycle, sent_items
from hikflask.services.changes.kinds import KINDS, Run
from hikflask.services.changes.lifecycle import AGAIN, CLAIM_SECONDS, MAX_ATTEMPTS, WHOLE_DONE, Claim
from hikflask.services.core import no_space
from hikflask.services.core.db import BUSY_SECONDS, changed_rows, end_read, transaction, transactional
from hikflask.services.core.errors import (
    LeaseLost,
    LoginStopped,
    ServiceError,
    TerminalInUse,
    TerminalRetired,
    refusal_of,
)
from hikflask.services.core.no_space import NO_SPACE
from hikflask.services.core.progress import ClaimLost
from hikflask.services.enrolments import mass_removals
from hikflask.services.enrolments.failures import SOON_SECONDS
from hikflask.services.enrolments.schedule import back_off

log = logging.getLogger(__name__)
# What is written to an item.
Outcome = dict[str, Any]
# Then other jobs have their turn, and the worker may stop.
SLICE_SECONDS = 1.0
BATCH = 25
# After so many seconds it is checked again whether terminals confirmed what was sent.
CHECK_SECONDS = 3.0

# Made once: to make a statement costs more than to run it.
ITEM = update(JobItem).where(JobItem.id == bindparam("item_id"))
SAME_ITEM = ITEM.where(JobItem.number == bindparam("its_number"))


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
        except (TerminalError, ServiceError) as error:
            _pause_or_fail(job, claim, error)
        except disk_space.ERRORS as error:
            _fail_without_space(claim, error)
    return False


def run_to_end(claim: Claim) -> None:
    """Run a job to its end in the caller's thread, as a command or a call that waits for it."""
    while run_slice(claim, CLAIM_SECONDS):
        pass


def _work(job: Job, claim: Claim, until: float) -> bool:
    """Do the next part of a job. True: more is left to do at once.

    :raises ClaimLost: when it is not ours any more, or somebody stopped it.
    :raises TerminalError: :raises ServiceError: when it cannot go on now, or never.
    """
    kind = KINDS[job.kind]
    if not _reset_failed(job, claim, until):
        return True
    if kind.whole and not job.params.get(WHOLE_DONE):
        if kind.whole(job, claim):
            with transaction():
                lifecycle.count(claim)
            return True
        lifecycle.begin_items(claim)
    has_more = _do_items(job, claim, until)
    checked_up_to = sent_items.check(job, claim, until) if kind.awaits_confirmation else None
    if has_more:
        return True
    if checked_up_to is not None:
        lifecycle.pause(claim, CHECK_SECONDS, {"after": checked_up_to})
        return False
    if kind.end:
        kind.end(job.params)
    lifecycle.finish(claim)
    return False


def _reset_failed(job: Job, claim: Claim, until: float) -> bool:
    """Make the failed items of a job wait again, when somebody asked for that. False: some are left.

    :raises ClaimLost:
    """
    failed = select(JobItem.id).where(JobItem.job_id == job.id, JobItem.state == FAILED).order_by(JobItem.id)
    portion = update(JobItem).where(JobItem.id.in_(failed.limit(sent_items.PORTION)))
    while job.params.get(AGAIN):
        with transaction():
            changed = changed_rows(portion.values(state=WAITING, refusal=None))
            lifecycle.count(claim, done=-changed, failed=-changed)
            if changed < sent_items.PORTION:
                db.session.refresh(job)
                job.params = {name: value for name, value in job.params.items() if name != AGAIN}
        if time.monotonic() >= until:
            return not job.params.get(AGAIN)
    return True


def _do_items(job: Job, claim: Claim, until: float) -> bool:
    """Do the items that wait, until the time is over. True: some are left."""
    left = select(JobItem).where(JobItem.job_id == claim.job_id, JobItem.state == WAITING).order_by(JobItem.id)
    fresh = {"populate_existing": True}
    while items := db.session.execute(left.limit(BATCH), execution_options=fresh).scalars().all():
        began = time.monotonic()
        done = _run_together(job, items, claim) if KINDS[job.kind].together else ()
        if done and not _let_others_save(job, began, until):
            return True
        for item in items:
            if item.number in done:
                continue
            began = time.monotonic()
            _run(job, item, claim)
            if not _let_others_save(job, began, until):
                return True
    return False


def _let_others_save(job: Job, began: float, until: float) -> bool:
    """Wait as long as it took since then: SQLite has one writer at a time, and no queue. False: the time is over.

    After BUSY_SECONDS everybody who waits has tried. An item that talks to a terminal leaves the database alone.
    """
    if time.monotonic() >= until:
        return False
    if not KINDS[job.kind].talks:
        end_read()
        time.sleep(min(time.monotonic() - began, BUSY_SECONDS))
    return True


def _run_together(job: Job, items: Sequence[JobItem], claim: Claim) -> Collection[str]:
    """Do what the kind does for several items at once, and return their numbers.

    :raises ClaimLost: when the job is not to go on.
    """
    try:
        return _done_together(job, items, claim)
    except ServiceError:
        # One by one it is said who is refused.
        return ()


@transactional
def _done_together(job: Job, items: Sequence[JobItem], claim: Claim) -> Collection[str]:
    together = KINDS[job.kind].together
    with mass_removals.collected_losses() as lost:
        # The number is blank once the person was erased.
        done = together([item.number for item in items if item.number], job.params) if together else ()
    if lost:
        agreement.take(job, lost)
    if done:
        lifecycle.count(claim, done=len(done))
        of_done = (JobItem.id.in_([item.id for item in items]), JobItem.number.in_(done))
        changed_rows(update(JobItem).where(*of_done).values(state=DONE))
    return done


def _run(job: Job, item: JobItem, claim: Claim) -> None:
    """Do one item. Nothing is done when the job is not ours any more, or somebody stopped it.

    :raises ClaimLost: :raises TerminalError: :raises ServiceError: as in _work().
    """
    kind, mark = KINDS[job.kind], partial(_mark, claim, item.id, item.number)
    try:
        with kind.prepared(item, job.params) as run:
            _run_and_mark(job, item, run, mark)
    except (TerminalError, ServiceError) as error:
        # The terminal is to be waited for, or nothing is sent to it, or the disk is full: that is not about this item
        # alone.
        if error.code == NO_SPACE or (kind.talks and (_is_final(error) or _may_pass(job, error))):
            raise
        mark({"state": FAILED, "refusal": _refusal_of(job, error)})


@transactional
def _run_and_mark(job: Job, item: JobItem, run: Run, mark: Callable[[Outcome], None]) -> None:
    """Do what the job is for, and write how the item ended, or which enrolment it waits for; others get own items."""
    with mass_removals.collected_losses() as lost:
        enrolments = run()
    if lost:
        agreement.take(job, lost)
    if KINDS[job.kind].awaits_confirmation and enrolments:
        first, *others = enrolments
        mark({"state": SENT, "enrolment_id": first.id, "desired": first.desired})
        sent_items.add(item, others)
    else:
        mark({"state": DONE})


@transactional
def _mark(claim: Claim, item_id: int, number: str, outcome: Outcome) -> None:
    """Write how an item ended, and count it, unless it is only sent.

    :param number: as it was when the item was read.
    :raises ClaimLost: when the job is not to go on.
    """
    item = {"item_id": item_id}
    lifecycle.count(claim, done=int(outcome["state"] != SENT), failed=int(outcome["state"] == FAILED))
    if not changed_rows(SAME_ITEM.values(**outcome), {**item, "its_number": number}):
        # The number is blank: the employee was erased meanwhile, so nothing about them is written any more.
        if "refusal" in outcome:
            outcome["refusal"] = without_values(outcome["refusal"])
        changed_rows(ITEM.values(**outcome), item)


# --- a job that a terminal, or a refusal, keeps from going on ---


def _pause_or_fail(job: Job, claim: Claim, error: TerminalError | ServiceError) -> None:
    """Pause the job when a later try may succeed, else let it fail with the sentence of the error."""
    refusal, tries = _refusal_of(job, error), _tries(job)
    if not KINDS[job.kind].talks or not _may_pass(job, error):
        lifecycle.fail(claim, refusal)
        return
    seconds = SOON_SECONDS if isinstance(error, (TerminalInUse, LeaseLost)) else back_off(tries)
    lifecycle.pause(claim, seconds, {"refusal": refusal, "tries": tries + 1})


def _fail_without_space(claim: Claim, error: Exception) -> None:
    """Let the job fail with the full disk as its reason; what is left of it can go on once there is room.

    :raises Exception: the error, where it says anything else, or not even that can be written.
    """
    refusal = no_space.refusal_of(error)
    if refusal is None:
        raise error
    end_read()
    try:
        lifecycle.fail(claim, refusal_of(refusal))
    except disk_space.ERRORS:
        raise error from None


def _is_final(error: TerminalError | ServiceError) -> bool:
    return isinstance(error, (LoginStopped, TerminalRetired)) or (isinstance(error, TerminalError) and error.stops)


def _may_pass(job: Job, error: TerminalError | ServiceError) -> bool:
    """True when a later try may succeed. A terminal that answers and refuses each time is not asked for ever."""
    if _is_final(error):
        return False
    if isinstance(error, (TerminalInUse, LeaseLost)) or (isinstance(error, TerminalError) and not error.reached):
        return True
    return error.retryable and _tries(job) < MAX_ATTEMPTS


def _tries(job: Job) -> int:
    """How often in a row the job was paused for its terminal."""
    return int((job.pause or {}).get("tries", 0))


def _refusal_of(job: Job, error: TerminalError | ServiceError) -> Refusal:
    """Return an error as a row stores it, with the terminal that it came from."""
    if isinstance(error, ServiceError):
        return Refusal(code=error.code, params=error.params)
    terminal = db.session.get(Terminal, job.terminal_id) if job.terminal_id else None
    params: dict[str, Any] = {"t": terminal.name, "name": terminal.name, "address": terminal.url} if terminal else {}
    params |= error.params
    if isinstance(error, AccountLocked) and error.unlock_seconds:
        params["n"] = max(1, round(error.unlock_seconds / 60))
    return Refusal(code=error.code, params=params)
