"""Drafts of jobs: a draft fixes the employees of a job, for its preview, before the job is started."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, func, insert, literal, select

from hikflask.extensions import db
from hikflask.models import Employee, Job, JobItem, Terminal
from hikflask.models.job import WAITING
from hikflask.services.core.dates import today
from hikflask.services.core.db import transactional
from hikflask.services.departments import registry as departments
from hikflask.services.employees import filters
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.enrolments import mass_removals
from hikflask.services.enrolments.mass_removals import Confirmation, Losses
from hikflask.services.groups import changing
from hikflask.services.groups.differences import Differences
from hikflask.services.jobs import lifecycle, queries
from hikflask.services.jobs.kinds import (
    CONSENT,
    DEACTIVATE,
    DEPARTMENT,
    DEPARTMENT_ID,
    GIVEN_ON,
    HAVE_CONSENT,
    KINDS,
    LEFT_OUT,
    LOSSES,
)
from hikflask.services.jobs.lifecycle import Claim


@transactional
def make_draft(
    kind: str, wanted: EmployeeFilter, employee_ids: Collection[int] | None = None, *, terminal: Terminal | None = None
) -> Job:
    """Make the draft of a job, with the people in the order of a list. The database copies them, however many they are.

    Where a kind leaves out inactive employees, or those who have a consent, `params` counts them.

    :param employee_ids: the employees of the job; None: all that the list shows.
    :param terminal: where the job is done, where that is not asked any more.
    """
    chosen = filters.conditions(wanted) if employee_ids is None else [Employee.id.in_(employee_ids)]
    meant = select(Employee).where(*chosen).order_by(*filters.SORTS[wanted.sort])
    job = Job(kind=kind, params={})
    if terminal is not None:
        job.terminal_id, job.params = terminal.id, {"terminal_id": terminal.id, "terminal": terminal.name}
    if KINDS[kind].active_only:
        job.params = {**job.params, LEFT_OUT: _count(meant.where(~Employee.is_active))}
        meant = meant.where(Employee.is_active)
    if KINDS[kind].lacking_consent:
        job.params = {**job.params, HAVE_CONSENT: _count(meant.where(Employee.has_consent))}
        meant = meant.where(~Employee.has_consent)
    db.session.add(job)
    db.session.flush()
    # Nobody is erased before these items can be seen, and somebody who is deleted already is not meant.
    columns = (Employee.id, Employee.number, literal(job.id), literal(WAITING))
    kept = meant.with_only_columns(*columns).with_for_update(read=True, key_share=True, of=Employee)
    db.session.execute(insert(JobItem).from_select(["employee_id", "number", "job_id", "state"], kept))
    job.total = db.session.execute(select(func.count(JobItem.id)).where(JobItem.job_id == job.id)).scalar_one()
    db.session.flush()
    return job


def _count(employees: Select[Employee]) -> int:
    counted = employees.with_only_columns(func.count(Employee.id)).order_by(None)
    return db.session.execute(counted).scalar_one()


@transactional
def start(job: Job, params: dict[str, Any], agreed: Confirmation, digest: str = "") -> Claim | None:
    """Start a draft, as lifecycle.start() does, once it is agreed who loses access through it.

    :param digest: that of differences(), as it was shown.
    :raises PlanChanged: when groups give or take something else than was shown.
    :raises AdministratorNeeded: :raises UnsafePlan: when many lose access, as Losses.require().
    """
    if job.kind == DEPARTMENT:
        # What is agreed to is this department, even if it is renamed meanwhile.
        name = departments.resolve(params["department"])
        changes = differences(job, name)
        changes.require_agreed(digest, agreed)
        params = {"department": name, DEPARTMENT_ID: departments.id_of(name), LOSSES: changes.losses.as_json}
    if job.kind == CONSENT:
        params = {GIVEN_ON: today().isoformat()}
    losses_of(job).require(agreed)
    return lifecycle.start(job.id, params)


def losses_of(job: Job) -> Losses:
    """Return who loses access because the employees of a draft leave all terminals."""
    return mass_removals.losses_of_people(queries.people_of(job.id)) if job.kind == DEACTIVATE else Losses()


def differences(job: Job, department: str) -> Differences:
    """Return what groups of terminals give and take when the employees of a draft get a department, in any spelling."""
    department_id = departments.id_of(departments.find(department) or department)
    return changing.preview_of_department(queries.people_of(job.id), department_id)
