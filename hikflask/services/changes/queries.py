"""Reads jobs and their items, always fresh from the database."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Select, and_, func, or_, select

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Job, JobItem, Terminal
from hikflask.models.job import DONE, DRAFT, FAILED, OPEN, SENT, WAITING
from hikflask.services.core import keyset
from hikflask.services.core.db import count_rows_up_to, locked_employee
from hikflask.services.core.errors import NotFound
from hikflask.services.core.keyset import FIRST, Keyset, Page, PagePosition
from hikflask.services.state.enrolment import IS_LEAVING
from hikflask.services.terminals import lost_people
from hikflask.services.terminals.lost_people import LostPeople

IS_LEFT = JobItem.state.in_((WAITING, FAILED))
# Counts of items are not read any further.
MAX_COUNTED = 1000
FAILURES = Keyset((JobItem.id.asc(),), "who failed")
# What the list of jobs can be narrowed to → the condition on Job.
WANTED = {
    "open": Job.state.in_(OPEN),
    # As a whole, or for everybody.
    "failed": or_(Job.state == FAILED, Job.failed_for_all),
    "partly": and_(Job.state == DONE, Job.failed > 0),
}


@dataclass(frozen=True)
class Wait:
    """A terminal that a job waits for; the next try there is at `next_try`, None when nothing is tried.

    `lost`: the people that it lost, who are not all there again.
    """

    terminal: Terminal
    next_try: datetime | None
    lost: LostPeople | None


@dataclass(frozen=True)
class ItemOf:
    """An item, with its employee while there is one."""

    item: JobItem
    employee: Employee | None


def find_job(job_id: int) -> Job | None:
    """Return the job, or None."""
    return db.session.get(Job, job_id, populate_existing=True)


def list_before(job_id: int | None, limit: int, wanted: str = "") -> list[Job]:
    """Return the jobs that were started, the last made first.

    :param job_id: the one after which the list goes on; None: from its beginning.
    :param wanted: a key of WANTED, or all.
    """
    before = [Job.id < job_id] if job_id is not None else []
    statement = select(Job).where(WANTED.get(wanted, Job.state != DRAFT), *before).order_by(Job.id.desc()).limit(limit)
    return list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())


def count_sent(job_id: int) -> int:
    """Return how many items are sent and not confirmed, but no more than MAX_COUNTED."""
    sent = select(JobItem.id).where(JobItem.job_id == job_id, JobItem.state == SENT)
    return count_rows_up_to(sent, MAX_COUNTED - 1)


def waited_for(job_id: int) -> list[Wait]:
    """Return the terminals that the first sent items wait for, with the time of the next try there."""
    first = select(JobItem.enrolment_id).where(JobItem.job_id == job_id, JobItem.state == SENT)
    rows = db.session.execute(
        select(Terminal, func.min(Enrolment.next_attempt_at))
        .join(Enrolment, Enrolment.terminal_id == Terminal.id)
        .where(Enrolment.id.in_(first.order_by(JobItem.id).limit(MAX_COUNTED)))
        .group_by(Terminal.id)
        .order_by(Terminal.name)
    )
    lost = lost_people.at_all()
    return [
        Wait(terminal, max(filter(None, (next_try, terminal.backoff_until)), default=None), lost.get(terminal.id))
        for terminal, next_try in rows
    ]


def failures(job_id: int, limit: int, place: PagePosition = FIRST) -> tuple[Page[ItemOf], int]:
    """Return a page of the items that failed, and how many there are in all.

    :raises CursorUnknown:
    """
    failed = (JobItem.job_id == job_id, JobItem.state == FAILED)
    statement = select(JobItem).outerjoin(Employee, Employee.id == JobItem.employee_id).where(*failed)
    page = keyset.read(statement.add_columns(Employee), FAILURES, limit, place)
    items = replace(page, rows=[ItemOf(item, employee) for item, employee in page.rows])
    return items, db.session.execute(select(func.count(JobItem.id)).where(*failed)).scalar_one()


def count_done(job_id: int) -> dict[str, int]:
    """Return how many items of each action are done, by action."""
    done = select(JobItem.action, func.count(JobItem.id)).where(JobItem.job_id == job_id, JobItem.state == DONE)
    rows = db.session.execute(done.group_by(JobItem.action).order_by(JobItem.action))
    return {action: count for action, count in rows}


def done_items(job_id: int, action: str, limit: int, after: int = 0) -> list[ItemOf]:
    """Return the items of one action that are done, by id. An employee who was added by the item is found by number.

    :param after: the id of the last item that is shown already.
    """
    done = (JobItem.job_id == job_id, JobItem.state == DONE, JobItem.action == action, JobItem.id > after)
    statement = select(JobItem, Employee).outerjoin(Employee, Employee.number == JobItem.number).where(*done)
    rows = db.session.execute(statement.order_by(JobItem.id).limit(limit))
    return [ItemOf(item, employee) for item, employee in rows]


def people_of(job_id: int) -> Select[int | None]:
    """Return the statement for the ids of the employees of a job."""
    return select(JobItem.employee_id).where(JobItem.job_id == job_id, JobItem.employee_id.is_not(None))


def employee_of(item: JobItem) -> Employee:
    """Return the employee of an item, locked within the caller's transaction.

    :raises employee_unknown: when deleted meanwhile.
    """
    if item.employee_id is None:
        raise NotFound("employee_unknown")
    return locked_employee(item.employee_id)


def people_left(job_id: int) -> Select[int | None]:
    """Return the statement for the ids of the employees for whom a job has something left to do."""
    return people_of(job_id).where(IS_LEFT)


def employee_ids(job_id: int) -> list[int]:
    """Return the ids of the employees of a job who are not deleted, in its order."""
    ids = select(Employee.id).join(JobItem, JobItem.employee_id == Employee.id).where(JobItem.job_id == job_id)
    return list(db.session.execute(ids.order_by(JobItem.id)).scalars())


def unconfirmed_removals(job_id: int) -> list[tuple[Terminal, int]]:
    """Return the terminals that have not confirmed yet that somebody of a job is gone, with how many they are."""
    numbers = select(JobItem.number).where(JobItem.job_id == job_id)
    statement = select(Terminal, func.count(Enrolment.id)).join(Enrolment, Enrolment.terminal_id == Terminal.id)
    statement = statement.where(IS_LEAVING, Enrolment.number.in_(numbers)).group_by(Terminal.id)
    return [(terminal, count) for terminal, count in db.session.execute(statement.order_by(Terminal.name))]


def has_erased(job_id: int) -> bool:
    """Tell whether somebody of a job was erased meanwhile, so that the job cannot say whose removals are open."""
    erased = select(JobItem.id).where(JobItem.job_id == job_id, JobItem.number == "").limit(1)
    return db.session.execute(erased).first() is not None
