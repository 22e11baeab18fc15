"""What a job did for whom, where it does several things: for the report of a plan."""

from dataclasses import dataclass

from sqlalchemy import func, select

from hikflask.extensions import db
from hikflask.models import Employee, JobItem
from hikflask.models.job import DONE


@dataclass(frozen=True)
class Done:
    """An item that was done, with the employee while there is one. `number` finds one who became it by this job."""

    item: JobItem
    employee: Employee | None


def counts(job_id: int) -> dict[str, int]:
    """Return how many items of each action are done."""
    mine = select(JobItem.action, func.count(JobItem.id)).where(JobItem.job_id == job_id, JobItem.state == DONE)
    rows = db.session.execute(mine.group_by(JobItem.action).order_by(JobItem.action))
    return {action: count for action, count in rows}


def done(job_id: int, action: str, limit: int, after: int = 0) -> list[Done]:
    """Return the items of one action that are done, by id; `after` is the last one that is shown already."""
    mine = (JobItem.job_id == job_id, JobItem.state == DONE, JobItem.action == action, JobItem.id > after)
    statement = select(JobItem, Employee).outerjoin(Employee, Employee.number == JobItem.number).where(*mine)
    return [Done(item, employee) for item, employee in db.session.execute(statement.order_by(JobItem.id).limit(limit))]
