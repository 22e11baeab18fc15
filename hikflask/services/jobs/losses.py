"""Counts who loses access by what a job has left to do, as it would be now; nothing changes."""

from collections import Counter
from collections.abc import Collection

from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import Job, JobItem
from hikflask.models.job import FAILED, OPEN, WAITING
from hikflask.services.comparisons import queries as comparisons
from hikflask.services.comparisons.plan import REMOVE, losses_of
from hikflask.services.comparisons.take_over import Confirmed
from hikflask.services.core.errors import AdministratorNeeded, PlanChanged
from hikflask.services.departments import registry as departments
from hikflask.services.enrolments import mass_removals
from hikflask.services.enrolments.mass_removals import Confirmation, Loss, Losses, Pair
from hikflask.services.groups import changing, differences
from hikflask.services.groups.differences import Scope
from hikflask.services.jobs import queries
from hikflask.services.jobs.kinds import (
    ALL,
    APPLY,
    DEACTIVATE,
    DEPARTMENT,
    DEPARTMENT_ID,
    GROUPS,
    KINDS,
    LOCKED,
    LOSSES,
    OWN,
    TAKEN,
    TAKEN_PEOPLE,
)

IS_LEFT = JobItem.state.in_((WAITING, FAILED))


def agreed_rest(job: Job, agreed: Confirmation) -> Losses:
    """Return who loses access when a job goes on, where that is agreed to.

    :raises AdministratorNeeded: :raises UnsafePlan: as needs_administrator() and Losses.require().
    """
    lost = of_rest(job)
    if not agreed.by_admin and needs_administrator(job, lost):
        raise lost.refusal
    lost.require(agreed)
    return lost


def needs_administrator(job: Job, lost: Losses) -> bool:
    """Tell whether only an administrator may let a job go on, because of the people who lose access by it.

    That is where they are many, where a plan removes anybody, and for kinds of jobs that only administrators start.
    """
    removals_left = select(JobItem.id).where(JobItem.job_id == job.id, IS_LEFT, JobItem.action == REMOVE).limit(1)
    return lost.exceeds_limit or KINDS[job.kind].by_admin or db.session.execute(removals_left).first() is not None


def take(job: Job, lost: Collection[Pair]) -> None:
    """Count from whom items take which terminals, within their transaction.

    Between the agreement and the item, others change groups, departments and the people in them. What exceeds the
    agreement counts among what the requester took within a day, but for that which another job of groups is about to
    take.

    :raises PlanChanged: when more people would lose access by the job than was agreed.
    """
    if LOSSES not in job.params:
        return
    db.session.refresh(job, ["params"], with_for_update=LOCKED)
    taken = Counter({int(terminal_id): count for terminal_id, count in job.params.get(TAKEN, {}).items()})
    taken.update(terminal_id for _, terminal_id in lost)
    people = job.params.get(TAKEN_PEOPLE, 0) + len({employee_id for employee_id, _ in lost})
    agreed = Losses.from_json(job.params[LOSSES])
    if agreed.are_exceeded_by(taken, people) and (agreed + _of_open_jobs(job)).are_exceeded_by(taken, people):
        raise PlanChanged
    own = _add_own(job, agreed, {*lost} - _awaited(job, lost))
    job.params = {**job.params, TAKEN: taken, TAKEN_PEOPLE: people, OWN: own}


def _add_own(job: Job, agreed: Losses, lost: Collection[Pair]) -> Counter[str]:
    """Add to what a job took that no other one is about to take; return that, by terminal and of ALL people.

    :raises PlanChanged: when the requester took too much within a day, with what exceeds the agreement.
    """
    before: Counter[str] = Counter(job.params.get(OWN, {}))
    own = before + Counter([*(str(terminal_id) for _, terminal_id in lost), *(ALL for _ in {who for who, _ in lost})])
    known = Counter({ALL: agreed.people}) + Counter({str(loss.terminal_id): loss.loses for loss in agreed.terminals})
    more = (own - known) - (before - known)
    terminals = [(int(key), count) for key, count in more.items() if key != ALL]
    unknown = (
        Loss(terminal_id, "", count, mass_removals.count_present(terminal_id) + count)
        for terminal_id, count in terminals
    )
    try:
        Losses(tuple(unknown), more[ALL]).require(Confirmation(None, by_admin=False))
    except AdministratorNeeded as error:
        raise PlanChanged from error
    return own


def _awaited(job: Job, lost: Collection[Pair]) -> set[Pair]:
    """Return those of the losses that another open job of groups was agreed to have, and has still to do."""
    people = {employee_id for employee_id, _ in lost}
    waiting = (
        select(JobItem.employee_id, Job.params)
        .join(Job, Job.id == JobItem.job_id)
        .where(Job.kind == GROUPS, Job.state.in_(OPEN), Job.id != job.id)
        .where(JobItem.state == WAITING, JobItem.employee_id.in_(people))
    )
    agreed = {
        (employee_id, loss.terminal_id)
        for employee_id, params in db.session.execute(waiting)
        for loss in Losses.from_json(params.get(LOSSES, Losses().as_json)).terminals
    }
    return agreed & {*lost}


def _of_open_jobs(job: Job) -> Losses:
    """Return what was agreed to for other jobs of groups: whichever comes first does it for all.

    One that only waits for terminals takes nothing from anybody any more.
    """
    has_more = select(JobItem.id).where(JobItem.job_id == Job.id, JobItem.state == WAITING).exists()
    params_of_others = select(Job.params).where(Job.kind == GROUPS, Job.state.in_(OPEN), Job.id != job.id, has_more)
    agreed = [params[LOSSES] for params in db.session.execute(params_of_others).scalars() if LOSSES in params]
    return sum(map(Losses.from_json, agreed), Losses())


def of_rest(job: Job) -> Losses:
    """Return who loses access by the items of a job that wait, or failed and are tried again."""
    people = queries.people_of(job.id).where(IS_LEFT)
    if job.kind == DEACTIVATE:
        return mass_removals.losses_of_people(people)
    if job.kind == DEPARTMENT:
        department_id = job.params.get(DEPARTMENT_ID) or departments.id_of(job.params["department"])
        return changing.preview_of_department(people, department_id).losses
    if job.kind == GROUPS:
        return differences.count(Scope(people)).losses
    return _of_plan(job) if job.kind == APPLY else Losses()


def _of_plan(job: Job) -> Losses:
    """Count by the items of the job, as the plan counted its steps."""
    comparison = comparisons.find_comparison(job.params["comparison"])
    if comparison is None:
        return Losses()  # So nothing of the plan can be done.
    left = select(JobItem.employee_id, JobItem.action, JobItem.confirmed).where(JobItem.job_id == job.id, IS_LEFT)
    items = [
        (employee_id, action, Confirmed.from_json(confirmed))
        for employee_id, action, confirmed in db.session.execute(left)
    ]
    gone = sum(1 for _, action, item in items if action == REMOVE or item.replaces or item.comes_in_inactive)
    shut_out = [employee_id for employee_id, _, item in items if item.may_take_days]
    return losses_of(comparison, gone, shut_out, [employee_id for employee_id, _, item in items if item.faces])
