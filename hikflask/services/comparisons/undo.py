"""Undoes taking people over from a terminal, within one transaction of the caller's for each, or says why not.

An employee who came in by it is deleted again; one who was here before gets back name, days and photo. That is done
while they are as the taking-over left them. Nothing is done at the terminal: it keeps its records, with cards and
fingerprints, and its last comparison shows them as people who are only there.
"""

from typing import Any

from sqlalchemy import ColumnElement, func, select, update

from hikflask import text_rules
from hikflask.extensions import db
from hikflask.models import Employee, Job, JobItem
from hikflask.models.job import NewItem
from hikflask.services import audit
from hikflask.services.changes import lifecycle
from hikflask.services.changes.kinds import APPLY, APPLY_UNDO, LOCKED
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.comparisons import own_records
from hikflask.services.core.db import changed_rows, lock_numbers, locked_employee, transactional
from hikflask.services.core.errors import PlanChanged, ServiceError
from hikflask.services.employees import undo
from hikflask.services.employees.undo import EmployeeFacts
from hikflask.services.enrolments import mass_removals, queries
from hikflask.services.groups import locks

DAYS = ("valid_from", "valid_to")
# Among the params of a plan's job: the last job that undoes it.
UNDO = "undo"
# How many employees are read at a time.
BATCH = 500


def can_undo(job: Job) -> bool:
    """Tell whether a job has ended and took somebody over who is not taken back, and nothing takes them back now."""
    return job.kind == APPLY and not job.is_open and running(job) is None and count_taken_over(job.id) > 0


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
    rows = select(JobItem.number, JobItem.employee_id).where(*taken_over(job_id)).order_by(JobItem.id.desc())
    items = [NewItem(*row) for row in db.session.execute(rows)]
    if not items:
        raise ServiceError("nothing_to_take_back")
    if people is not None and people != len(items):
        raise PlanChanged
    claim = lifecycle.begin(APPLY_UNDO, {"job": job_id}, terminal_id=job.terminal_id, items=items)
    job.params = {**job.params, UNDO: claim.job_id}
    return claim


def take_back(job_id: int, number: str) -> None:
    """Undo what an item of a plan's job took over, within the caller's transaction.

    :raises changed_since: when the employee is not any more as the taking-over left them.
    :raises employee_unknown: when deleted meanwhile. :raises nothing_to_take_back: when it is undone already.
    :raises leaves_by_take_over: :raises was_wanted_before: :raises face_was_replaced: :raises days_shut_out: when it
        cannot be undone.
    """
    lock_numbers(number)
    own = (JobItem.job_id == job_id, JobItem.number == number, JobItem.written.is_not(None))
    item = db.session.execute(select(JobItem).where(*own), execution_options={"populate_existing": True}).scalar()
    if item is None or item.written is None:
        raise ServiceError("nothing_to_take_back")
    job, before, after = db.session.get_one(Job, job_id), item.written["before"], item.written["after"]
    undo.require_same(locked_employee(after["id"]), after)
    _refuse_impossible(job, before, after)

    def at_terminals(employee: Employee) -> None:
        locks.share()
        queries.of_number(number, lock=True)
        if job.terminal_id is not None:
            own_records.forget(job.terminal_id, number)
        audit.record("enrolment.taking_over_undone", employee=employee, terminal=job.params.get("terminal", ""))

    undo.undo(after["id"], before, after, at_terminals)
    changed_rows(update(JobItem).where(JobItem.id == item.id).values(written=None))


def _refuse_impossible(job: Job, before: EmployeeFacts | None, after: EmployeeFacts) -> None:
    if not after["is_active"]:
        raise ServiceError("leaves_by_take_over")
    if before is None:
        return
    if any(terminal_id == job.terminal_id for terminal_id, *_ in before["enrolments"]):
        raise ServiceError("was_wanted_before")
    if before["photo"] not in {None, after["photo"]}:
        raise ServiceError("face_was_replaced")
    now, then = (tuple(map(text_rules.day_of, (of[day] for day in DAYS))) for of in (after, before))
    if mass_removals.take_access((now[0], now[1]), (then[0], then[1])):
        raise ServiceError("days_shut_out")


def taken_over(job_id: int) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions on JobItem and Employee: taken over by a job, not taken back, and not deleted since."""
    return JobItem.job_id == job_id, JobItem.written.is_not(None), Employee.id == JobItem.employee_id


def count_taken_over(job_id: int) -> int:
    """Return how many people a job took over who are not taken back."""
    return db.session.execute(select(func.count(JobItem.id)).where(*taken_over(job_id))).scalar_one()


def preview(job_id: int) -> tuple[int, int]:
    """Return how many people of a job can be taken back, and how many not, since they were changed or cannot be.

    Terminals are checked by the undo itself, which may say of a few more why not.
    """
    job, can, total, after = db.session.get_one(Job, job_id), 0, 0, 0
    left = select(JobItem, Employee).where(*taken_over(job_id)).order_by(JobItem.id).limit(BATCH)
    fresh = {"populate_existing": True}
    while rows := db.session.execute(left.where(JobItem.id > after), execution_options=fresh).all():
        after, total = rows[-1][0].id, total + len(rows)
        can += sum(_is_undoable(job, item.written or {}, employee) for item, employee in rows)
    return can, total - can


def _is_undoable(job: Job, written: dict[str, Any], employee: Employee) -> bool:
    before, after = written["before"], written["after"]
    try:
        _refuse_impossible(job, before, after)
    except ServiceError:
        return False
    return undo.is_untouched(employee, after)
