"""Starts the job that undoes what a plan took over from a terminal: once, even if several try it."""

from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import Job, JobItem
from hikflask.models.job import NewItem
from hikflask.services.comparisons import undo
from hikflask.services.core.db import transactional
from hikflask.services.core.errors import PlanChanged, ServiceError
from hikflask.services.jobs import lifecycle
from hikflask.services.jobs.kinds import APPLY, APPLY_UNDO, LOCKED
from hikflask.services.jobs.lifecycle import Claim

# Among the params of a plan's job: the last job that undoes it.
UNDO = "undo"


def can_undo(job: Job) -> bool:
    """Tell whether a job has ended and took somebody over who is not taken back, and nothing takes them back now."""
    return job.kind == APPLY and not job.is_open and running(job) is None and undo.count_taken_over(job.id) > 0


def running(job: Job) -> Job | None:
    """Return the job that undoes a plan's job at this moment, or None."""
    undoing = db.session.get(Job, job.params.get(UNDO), populate_existing=True) if job.params.get(UNDO) else None
    return undoing if undoing and undoing.is_open else None


@transactional
def start(job_id: int, people: int | None = None) -> Claim:
    """Start to undo what a plan's job took over, the last one first, and claim it for the worker.

    :param people: how many were taken over and not taken back when somebody was asked; None: nobody was.
    :raises undo_started: while the job, or an undo of it, runs. :raises nothing_to_take_back:
    :raises PlanChanged: when they are others by now.
    """
    job = db.session.get_one(Job, job_id, populate_existing=True, with_for_update=LOCKED)
    undoing = running(job)
    if job.is_open or undoing:
        raise ServiceError("undo_started", job=(undoing or job).id)
    rows = select(JobItem.number, JobItem.employee_id).where(*undo.taken_over(job_id)).order_by(JobItem.id.desc())
    items = [NewItem(*row) for row in db.session.execute(rows)]
    if not items:
        raise ServiceError("nothing_to_take_back")
    if people is not None and people != len(items):
        raise PlanChanged
    claim = lifecycle.begin(APPLY_UNDO, {"job": job_id}, terminal_id=job.terminal_id, items=items)
    job.params = {**job.params, UNDO: claim.job_id}
    return claim
