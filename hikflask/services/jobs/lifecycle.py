"""From the draft of a job to its end. Each step is one compare-and-set, so it happens once, whoever else tries it.

    draft → waiting (start) → running (take) → done (finish), failed (fail, claim_orphans), stopped (stop)

Only the worker with the job's present claim number gets anything done. A claim that is over is claimed again.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update

from hikflask.extensions import db
from hikflask.models import Job, JobItem
from hikflask.models.columns import database_now
from hikflask.models.job import DONE, DRAFT, FAILED, OPEN, RUNNING, STOPPED, WAITING
from hikflask.services import audit
from hikflask.services.core.db import changed_rows
from hikflask.services.core.errors import ServiceError
from hikflask.services.jobs.kinds import KINDS

# Of a killed worker. No item takes nearly as long.
CLAIM_SECONDS = 60.0
# So many claims without a single item in between, and the job is given up.
MOST_ATTEMPTS = 5
# Among the params of a job: what its kind does as a whole is done.
WHOLE_DONE = "whole_done"


@dataclass(frozen=True)
class Claim:
    """The right to run a job, as long as the job has this number."""

    job_id: int
    number: int

    @property
    def holds(self) -> tuple[ColumnElement[bool], ...]:
        """The condition that the job is open and this claim is the present one."""
        return (Job.id == self.job_id, Job.claim_number == self.number, Job.state.in_(OPEN))


def start(job_id: int, params: dict[str, Any]) -> Claim | None:
    """Start a draft, and claim it for the worker. None when it is no draft any more, as after a double click.

    :param params: how the action is done; they are added to those of the draft.
    """
    job = db.session.get(Job, job_id, populate_existing=True)
    if job is None:
        return None
    started = {"state": WAITING, "params": {**job.params, **params}, "requested_by": audit.present_actor().name[:128]}
    claimed = {"started_at": database_now(), "claim_number": 1, "claimed_until": database_now(CLAIM_SECONDS)}
    changed = changed_rows(update(Job).where(Job.id == job_id, Job.state == DRAFT).values(**started, **claimed))
    if changed:
        db.session.refresh(job)
        _note("job.started", job, people=job.total)
        if noted := KINDS[job.kind].noted:
            audit.note(noted, subject=f"job {job.id}", after={"people": job.total, "format": job.params["format"]})
    db.session.commit()
    return Claim(job_id, 1) if changed else None


def stop(job_id: int) -> bool:
    """Stop a job for good: nothing more is done, and what is done stays. False when it has ended already."""
    ended = {"state": STOPPED, "ended_at": database_now()}
    changed = changed_rows(update(Job).where(Job.id == job_id, Job.state.in_(OPEN)).values(**ended))
    if changed:
        job = db.session.get_one(Job, job_id, populate_existing=True)
        _note("job.stopped", job, people=job.done)
    db.session.commit()
    return changed == 1


def claim_orphans() -> list[Claim]:
    """Claim the jobs whose claim is over: of a worker that was killed, or of a queue that was lost."""
    # No claim is so long. One that ends later was written before the clock was set back.
    ended = or_(Job.claimed_until < database_now(), Job.claimed_until > database_now(2 * CLAIM_SECONDS))
    over = (Job.state.in_(OPEN), ended)
    hopeless = {"state": FAILED, "ended_at": database_now()}
    changed_rows(update(Job).where(*over, Job.attempts >= MOST_ATTEMPTS).values(**hopeless))
    rows = db.session.execute(select(Job.id, Job.claim_number).where(*over).order_by(Job.id)).all()
    db.session.commit()
    claims = (_claim_again(Claim(job_id, number)) for job_id, number in rows)
    return [claim for claim in claims if claim]


def _claim_again(over: Claim) -> Claim | None:
    values = {"claim_number": Job.claim_number + 1, "claimed_until": database_now(CLAIM_SECONDS)}
    changed = changed_rows(update(Job).where(*over.holds).values(**values))
    db.session.commit()
    return Claim(over.job_id, over.number + 1) if changed else None


def take(claim: Claim) -> Job | None:
    """Begin to run a claimed job, or go on. None when somebody stopped it, or another worker has it."""
    running = {"state": RUNNING, "attempts": Job.attempts + 1, "claimed_until": database_now(CLAIM_SECONDS)}
    taken = changed_rows(update(Job).where(*claim.holds).values(**running))
    job = db.session.get(Job, claim.job_id, populate_existing=True) if taken else None
    db.session.commit()
    return job


def count(claim: Claim, *, failed: bool) -> bool:
    """Count one item within the caller's transaction, and go on holding the job. False: it is not ours any more."""
    more = {"done": Job.done + 1, "failed": Job.failed + int(failed)}
    held = {"attempts": 0, "claimed_until": database_now(CLAIM_SECONDS)}
    return changed_rows(update(Job).where(*claim.holds).values(**more, **held)) == 1


def begin_items(claim: Claim) -> None:
    """Note that the whole is done, within the caller's transaction: its items are left, which count anew."""
    job = db.session.get_one(Job, claim.job_id, populate_existing=True)
    left = select(func.count(JobItem.id)).where(JobItem.job_id == claim.job_id, JobItem.state == WAITING)
    values = {"params": {**job.params, WHOLE_DONE: True}, "total": Job.done + left.scalar_subquery()}
    changed_rows(update(Job).where(*claim.holds).values(**values))
    db.session.commit()


def fail(claim: Claim, error: ServiceError) -> None:
    """End a job that cannot be done as a whole; its page says why."""
    job = db.session.get_one(Job, claim.job_id, populate_existing=True)
    params = {**job.params, "error": error.code, "error_params": error.params}
    changed_rows(update(Job).where(*claim.holds).values(state=FAILED, ended_at=database_now(), params=params))
    db.session.commit()


def finish(claim: Claim) -> None:
    """End a job of which no item is left."""
    changed_rows(update(Job).where(*claim.holds).values(state=DONE, ended_at=database_now()))
    db.session.commit()


def _note(action: str, job: Job, people: int) -> None:
    about = {"department": job.params["department"]} if "department" in job.params else {}
    terminal, subject = job.params.get("terminal", ""), f"job {job.id}"
    audit.note(action, terminal=terminal, subject=subject, after={"job": job.kind, "people": people, **about})
