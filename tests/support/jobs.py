"""People and jobs for them, as the list and the worker make them."""

from collections.abc import Iterable
from typing import Any

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Job, JobItem, Photo
from hikflask.models.columns import database_now
from hikflask.services import audit
from hikflask.services.audit import Actor
from hikflask.services.changes import lifecycle, queries
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.changes.run import run_slice
from hikflask.services.departments import registry as departments
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.selection import make_draft

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


def confirm(*numbers: str) -> None:
    """Let the terminal have person and face, as after a capture there."""
    for number in numbers:
        person = db.session.execute(db.select(Employee).where(Employee.number == number)).scalar_one()
        photo = Photo(employee_id=person.id, file=f"{number}.jpg", sha256="0" * 64, source="capture")
        db.session.add(photo)
        db.session.flush()
        face = {"photo_id": photo.id, "confirmed_photo_id": photo.id, "confirmed_at": database_now()}
        done = {"person": "confirmed", "face": "confirmed", "next_attempt_at": None, "refusal": None}
        db.session.execute(db.update(Enrolment).where(Enrolment.number == number).values(**face, **done))
    db.session.commit()
