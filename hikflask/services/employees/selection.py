"""Changes of people who are selected on the list: their draft, its preview, its start, and what is done for each.

A draft fixes the employees of a job, before the job is started.
"""

from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy import Select, func, insert, literal, select

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Job, JobItem, Terminal
from hikflask.models.job import WAITING
from hikflask.services.changes import lifecycle, queries
from hikflask.services.changes.kinds import (
    CONSENT,
    DEACTIVATE,
    DEPARTMENT,
    DEPARTMENT_ID,
    GIVEN_ON,
    HAVE_CONSENT,
    KINDS,
    LEFT_OUT,
    LOSSES,
    Params,
)
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.core.dates import today
from hikflask.services.core.db import transactional
from hikflask.services.departments import registry as departments
from hikflask.services.employees import filters
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.lifecycle import apply_active, apply_department, send_to_terminal
from hikflask.services.employees.search import SHOWN_IN_LISTS
from hikflask.services.enrolments import mass_removals
from hikflask.services.enrolments.mass_removals import Confirmation, Losses
from hikflask.services.groups import changing
from hikflask.services.groups.differences import Differences
from hikflask.services.privacy import consents
from hikflask.services.privacy.consents import Given
from hikflask.services.state import enrolment as state


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
    elif job.kind == CONSENT:
        params = {GIVEN_ON: today().isoformat()}
    elif job.kind == DEACTIVATE:
        leaving(job).require(agreed)
    return lifecycle.start(job.id, params)


def differences(job: Job, department: str) -> Differences:
    """Return what groups of terminals give and take when the employees of a draft get a department, in any spelling."""
    department_id = departments.id_of(departments.find(department) or department)
    return changing.preview_of_department(queries.people_of(job.id), department_id)


def leaving(job: Job) -> Losses:
    """Return who loses access because employees leave all terminals."""
    return mass_removals.losses_of_people(queries.people_left(job.id))


def moving(job: Job) -> Losses:
    """Return who loses access because employees get another department."""
    if "department" not in job.params:
        return Losses()  # A draft for which none is chosen yet.
    department_id = job.params.get(DEPARTMENT_ID) or departments.id_of(job.params["department"])
    return changing.preview_of_department(queries.people_left(job.id), department_id).losses


def people(job_id: int, limit: int) -> list[Employee]:
    """Return the first employees of a job, in its order."""
    statement = select(Employee).join(JobItem, JobItem.employee_id == Employee.id).where(JobItem.job_id == job_id)
    shown = statement.order_by(JobItem.id).limit(limit).options(*SHOWN_IN_LISTS)
    return list(db.session.execute(shown, execution_options={"populate_existing": True}).scalars())


def deactivate(item: JobItem, params: Params) -> None:  # noqa: ARG001 - each kind has the same parameters
    """Deactivate the employee of an item."""
    employee = queries.employee_of(item)
    if employee.is_active:
        apply_active(employee, active=False)
        state.apply(state.PUT_IN_BULK, Enrolment.number == employee.number)


def send(item: JobItem, params: Params) -> list[Enrolment]:
    """Send the employee of an item to a terminal."""
    enrolment = send_to_terminal(queries.employee_of(item).id, params["terminal_id"]).row
    state.apply(state.PUT_IN_BULK, Enrolment.id == enrolment.id)
    return [enrolment]


def set_department(item: JobItem, params: Params) -> None:
    """Give a department to the employee of an item."""
    employee, department_id = queries.employee_of(item), params.get(DEPARTMENT_ID)
    # A job of an earlier version has the name alone.
    department = departments.keep_name(department_id) if department_id else params["department"]
    if apply_department(employee, department):
        state.apply(state.PUT_IN_BULK, Enrolment.number == employee.number)


def record_consent(item: JobItem, params: Params) -> None:
    """Record a consent, unless there is one."""
    consents.record_missing(queries.employee_of(item).id, Given(date.fromisoformat(params[GIVEN_ON])))
