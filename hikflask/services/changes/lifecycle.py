"""From the draft of a job to its end. Each step is one compare-and-set, so it happens once, even if several try it.

    draft → waiting (start) → running (take) → done (finish), failed (fail, claim_orphans), stopped (stop_job)
    done with failures, failed, stopped → waiting (retry)
    failed → stopped (stop_job: it is left as it is)

Only the worker with the job's current claim number gets anything done. A claim that is over is claimed again. A job
that waits for terminals is paused: it stays running, nobody runs it, and its claim is over when its time has come.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from flask import current_app
from sqlalchemy import ColumnElement, and_, bindparam, case, func, insert, or_, select, update

from hikflask import request_id
from hikflask.extensions import db
from hikflask.models import Job, JobItem, Terminal
from hikflask.models.columns import database_now
from hikflask.models.job import DONE, DRAFT, FAILED, OPEN, RUNNING, STOPPED, WAITING, NewItem
from hikflask.models.refusal import Refusal
from hikflask.services import audit
from hikflask.services.changes import agreement
from hikflask.services.changes.kinds import JOBS, KINDS, LOCKED, LOSSES, TAKEN
from hikflask.services.core.db import changed_rows, claim_rows, kept_employees, transaction, transactional
from hikflask.services.core.progress import ClaimLost
from hikflask.services.enrolments.mass_removals import Confirmation

# Of a killed worker. No item takes nearly as long.
CLAIM_SECONDS = 60.0
# So many claims without a single item in between, and the job is given up.
MAX_ATTEMPTS = 5
# Among the params of a job: what its kind does as a whole is done.
WHOLE_DONE = "whole_done"
# Among the params of a job: its failed items are to wait again, before anything else is done.
AGAIN = "again"
# What a claim writes, and what shows that its worker lives.
CLAIMED = {"claim_number": Job.claim_number + 1, "claimed_until": database_now(CLAIM_SECONDS)}
HELD = {"attempts": 0, "pause": None, "claimed_until": database_now(CLAIM_SECONDS)}
# As Claim.holds has it. Made once: each item is counted, and to make a statement costs more than to run it.
COUNT = (
    update(Job)
    .where(Job.id == bindparam("job_id"), Job.claim_number == bindparam("claim"), Job.state.in_(OPEN))
    .values(done=Job.done + bindparam("tried"), failed=Job.failed + bindparam("refused"), **HELD)
)


@dataclass(frozen=True)
class Claim:
    """The right to run a job, as long as the job has this number. Work that is done as a whole reports by it."""

    job_id: int
    number: int

    @property
    def holds(self) -> tuple[ColumnElement[bool], ...]:
        """The condition that the job is open and this claim is the current one."""
        return (Job.id == self.job_id, Job.claim_number == self.number, Job.state.in_(OPEN))

    def report(self, done: int, total: int) -> None:
        """Write how far the job is, and go on holding it; see services/core/progress.py.

        The total is no estimate that falls: where less is left, begin_items() says so in the end.

        :raises ClaimLost: when somebody stopped it, or another worker has it.
        """
        with transaction():
            least = max(done, total)
            kept = case((Job.total > least, Job.total), else_=least)
            reported = update(Job).where(*self.holds).values(done=done, total=kept, **HELD)
            if not changed_rows(reported):
                raise ClaimLost


@transactional
def start(job_id: int, params: dict[str, Any]) -> Claim | None:
    """Start a draft, and claim it for the worker. None when it is no draft any more, as after a double click.

    :param params: how the action is done; they are added to those of the draft.
    """
    job = db.session.get(Job, job_id, populate_existing=True, with_for_update=LOCKED)
    if job is None:
        return None
    params = {**job.params, **params}
    terminal = select(Terminal.id).where(Terminal.id == (job.terminal_id or params.get("terminal_id")))
    started = {"state": WAITING, "params": params, **_requester(), "terminal_id": terminal.scalar_subquery()}
    is_draft = update(Job).where(Job.id == job_id, Job.state == DRAFT)
    if not changed_rows(is_draft.values(**started, **CLAIMED, started_at=database_now())):
        return None
    db.session.refresh(job)
    _add_audit_entry("job.started", job, people=job.total)
    if action := KINDS[job.kind].audit_action:
        audit.record(action, subject=f"job {job.id}", after={"people": job.total, "format": job.params["format"]})
    return Claim(job_id, job.claim_number)


@transactional
def begin(kind: str, params: dict[str, Any], *, terminal_id: int | None = None, items: Sequence[NewItem] = ()) -> Claim:
    """Make a job with these items, start it at once, and claim it for the worker.

    :param terminal_id: the terminal where everything is done, if it is one; its name is added to the params.
    """
    terminal_name = select(Terminal.name).where(Terminal.id == terminal_id)
    named = {"terminal": db.session.execute(terminal_name).scalar_one_or_none()} if terminal_id else {}
    # Somebody who is deleted at this moment may be erased, and leaves no number. But a step of a plan keeps its number,
    # by which it is done: its comparison is held against erasures. The caller may have locked groups and terminals, so
    # nobody is waited for.
    kept = {None, *kept_employees([item.employee_id for item in items], wait=False)}
    job = Job(kind=kind, params={**named, **params}, terminal_id=terminal_id, total=len(items))
    db.session.add(job)
    db.session.flush()
    rows: list[dict[str, Any]] = [
        {**item._asdict(), "job_id": job.id, "number": item.number if item.action or item.employee_id in kept else ""}
        for item in items
    ]
    if rows:
        db.session.execute(insert(JobItem), rows)
    else:
        # It repeats the whole, so an earlier job that failed needs no attention.
        same = (Job.kind == kind, Job.terminal_id.is_not_distinct_from(terminal_id), Job.state == FAILED)
        changed_rows(update(Job).where(*same).values(state=STOPPED))
    return cast("Claim", start(job.id, {}))


def can_retry(job: Job) -> bool:
    """Tell whether something is left to try again: what failed, or what a stop left."""
    left = job.state in (FAILED, STOPPED) or (job.state == DONE and job.failed > 0)
    return left and KINDS[job.kind].can_retry


@transactional
def retry(job_id: int, agreed: Confirmation) -> Claim | None:
    """Continue an ended job where it was, its failed items first, and claim it for the worker.

    None when there is nothing to retry, as after a double click.

    :raises AdministratorNeeded: :raises UnsafePlan: as agreement.agreed_rest().
    """
    job = db.session.get(Job, job_id, populate_existing=True, with_for_update=LOCKED)
    if job is None or not can_retry(job):
        return None
    rest = agreement.agreed_rest(job, agreed)
    params = {name: value for name, value in job.params.items() if name not in ("refusal", TAKEN)}
    if LOSSES in params:
        params[LOSSES] = rest.as_json
    begun = {"state": WAITING, "params": {**params, AGAIN: True}, **_requester(), "started_at": database_now()}
    same = (Job.id == job_id, Job.state == job.state, Job.claim_number == job.claim_number)
    if not changed_rows(update(Job).where(*same).values(**begun, **{**HELD, **CLAIMED}, ended_at=None)):
        return None
    db.session.refresh(job)
    _add_audit_entry("job.retried", job, people=job.total - job.done + job.failed)
    return Claim(job_id, job.claim_number)


@transactional
def stop_job(job_id: int) -> bool:
    """Stop a job for good: nothing more is done, and what is done stays. One that failed needs no attention any more.

    False when it has ended already, or is of a kind that cannot be stopped.
    """
    own = (Job.id == job_id, Job.kind.in_(kind for kind, about in KINDS.items() if about.can_stop))
    ended = {"state": STOPPED, "ended_at": func.coalesce(Job.ended_at, database_now())}
    changed = changed_rows(update(Job).where(*own, Job.state.in_((*OPEN, FAILED))).values(**ended))
    if changed:
        job = db.session.get_one(Job, job_id, populate_existing=True)
        _add_audit_entry("job.stopped", job, people=job.done)
    return changed == 1


def claim_orphans() -> list[Claim]:
    """Claim the jobs whose claim is over: of a worker that was killed, or of a queue that was lost."""
    # No claim and no pause is so long. One that ends later was written before the clock was set back.
    never = database_now(2 * CLAIM_SECONDS)
    longer = database_now(current_app.config["RETRY_MAX"] + 2 * CLAIM_SECONDS)
    turned = or_(and_(Job.pause.is_(None), Job.claimed_until > never), Job.claimed_until > longer)
    over = (Job.state.in_(OPEN), or_(Job.claimed_until < database_now(), turned))
    hopeless = {"state": FAILED, "ended_at": database_now()}
    with transaction(alone=True):
        changed_rows(update(Job).where(*over, Job.attempts >= MAX_ATTEMPTS).values(**hopeless))
    return [Claim(*row) for row in claim_rows(select(Job.id, Job.claim_number).where(*over), CLAIMED)]


def take(claim: Claim) -> Job | None:
    """Begin to run a claimed job, or go on. None when somebody stopped it, or another worker has it."""
    running = {"state": RUNNING, "attempts": Job.attempts + 1, "claimed_until": database_now(CLAIM_SECONDS)}
    with transaction(alone=True):
        taken = changed_rows(update(Job).where(*claim.holds).values(**running))
        return db.session.get(Job, claim.job_id, populate_existing=True) if taken else None


def count(claim: Claim, *, done: int = 0, failed: int = 0) -> None:
    """Count items that ended within the caller's transaction, and go on holding the job.

    :raises ClaimLost: when somebody stopped it, or another worker has it.
    """
    counted = {"job_id": claim.job_id, "claim": claim.number, "tried": done, "refused": failed}
    if not changed_rows(COUNT, counted):
        raise ClaimLost


@transactional
def pause(claim: Claim, seconds: float, why: dict[str, Any]) -> None:
    """Pause a job for so many seconds. Nothing is held meanwhile; then the sweep claims it again.

    :param why: see Job.pause.
    """
    paused = {"claimed_until": database_now(seconds), "attempts": 0, "pause": why}
    changed_rows(update(Job).where(*claim.holds).values(**paused))


def lane(claim: Claim) -> str:
    """Return the lane of the queue for a job."""
    kind = db.session.execute(select(Job.kind).where(Job.id == claim.job_id)).scalar_one_or_none()
    return KINDS[kind].lane if kind in KINDS else JOBS


@transactional
def begin_items(claim: Claim) -> None:
    """Record that the whole is done: only its items are left, and the count begins with them."""
    job = db.session.get_one(Job, claim.job_id, populate_existing=True, with_for_update=LOCKED)
    left = select(func.count(JobItem.id)).where(JobItem.job_id == claim.job_id, JobItem.state == WAITING)
    values = {"params": {**job.params, WHOLE_DONE: True}, "total": Job.done + left.scalar_subquery()}
    changed_rows(update(Job).where(*claim.holds).values(**values))


@transactional
def fail(claim: Claim, refusal: Refusal) -> None:
    """End a job that cannot go on; its page says why."""
    job = db.session.get_one(Job, claim.job_id, populate_existing=True, with_for_update=LOCKED)
    params = {**job.params, "refusal": refusal}
    changed_rows(update(Job).where(*claim.holds).values(state=FAILED, ended_at=database_now(), params=params))


@transactional
def finish(claim: Claim) -> None:
    """End a job of which no item is left."""
    changed_rows(update(Job).where(*claim.holds).values(state=DONE, ended_at=database_now()))


def _requester() -> dict[str, str]:
    return {"requested_by": audit.current_actor().name[:128], "request_id": request_id.current()}


def _add_audit_entry(action: str, job: Job, people: int) -> None:
    about = {"department": job.params["department"]} if "department" in job.params else {}
    terminal, subject = job.params.get("terminal", ""), f"job {job.id}"
    audit.record(action, terminal=terminal, subject=subject, after={"job": job.kind, "people": people, **about})
