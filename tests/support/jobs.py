"""People and jobs for them, as the list and the worker make them."""

from collections.abc import Iterable
from typing import Any

from hikflask.extensions import db
from hikflask.models import Employee, Job, JobItem
from hikflask.models.columns import database_now
from hikflask.services import audit
from hikflask.services.audit import Actor
from hikflask.services.departments import registry as departments
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.jobs import lifecycle, queries
from hikflask.services.jobs.draft import make_draft
from hikflask.services.jobs.lifecycle import Claim
from hikflask.services.jobs.run import run_slice

LONG = 60.0


def add_people(*numbers: str, **columns: Any) -> list[int]:
    """Add employees with these numbers and return their ids."""
    people = [Employee(number=number, name=f"Иван Иванов {number}", **columns) for number in numbers]
    if columns.get("department"):
        departments.resolve(columns["department"])
    db.session.add_all(people)
    db.session.commit()
    return [person.id for person in people]


def started(kind: str, employee_ids: Iterable[int], **params: Any) -> Claim:
    """Start a job for these employees, as Анна."""
    draft = make_draft(kind, EmployeeFilter(sort="number"), list(employee_ids))
    with audit.acting(Actor("Анна", "10.0.0.7")):
        claim = lifecycle.start(draft.id, params)
    assert claim is not None
    return claim


def run(claim: Claim) -> Job:
    """Run a job to its end."""
    run_slice(claim, LONG)
    return job(claim.job_id)


def job(job_id: int) -> Job:
    """The job, as the database has it."""
    found = queries.find_job(job_id)
    db.session.commit()
    assert found is not None
    return found


def items(job_id: int) -> list[tuple[str, str, str]]:
    """Number, state and error of each item."""
    statement = db.select(JobItem.number, JobItem.state, JobItem.refusal_code).where(JobItem.job_id == job_id)
    found = [(number, state, error) for number, state, error in db.session.execute(statement.order_by(JobItem.id))]
    db.session.commit()
    return found


def looked_again(claim: Claim) -> Job:
    """Let the time of the next look have come, and run the job as the sweep would."""
    db.session.execute(db.update(Job).where(Job.id == claim.job_id).values(claimed_until=database_now(-1.0)))
    db.session.commit()
    for again in lifecycle.claim_orphans():
        run_slice(again, LONG)
    return job(claim.job_id)
