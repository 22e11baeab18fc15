"""Has it agreed who loses access by a job: before it starts or goes on, and again with each item."""

from collections import Counter
from collections.abc import Collection

from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import Job, JobItem
from hikflask.models.job import OPEN, WAITING
from hikflask.services.changes.kinds import (
    ALL,
    GROUPS,
    KINDS,
    LOCKED,
    LOSSES,
    OWN,
    TAKEN,
    TAKEN_PEOPLE,
)
from hikflask.services.core.errors import AdministratorNeeded, PlanChanged
from hikflask.services.enrolments import mass_removals
from hikflask.services.enrolments.mass_removals import Confirmation, Loss, Losses, Pair


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
    kind = KINDS[job.kind]
    return lost.exceeds_limit or kind.by_admin or kind.removes(job)


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
    """Return who loses access by the items of a job that wait, or failed and are tried again, as it would be now."""
    return KINDS[job.kind].losses(job)
