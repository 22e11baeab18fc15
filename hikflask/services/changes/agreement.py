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
    LOSES,
    LOSSES,
    TAKEN,
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
    """Count from whom items take which terminals, within their transaction, but for what another job was to take.

    Between the agreement and the item, others change groups, departments and the people in them. What exceeds the
    agreement counts among what the requester took within a day.

    :raises PlanChanged: when more people would lose access by the job than was agreed.
    """
    if LOSSES not in job.params:
        return
    db.session.refresh(job, ["params"], with_for_update=LOCKED)
    before: Counter[str] = Counter(job.params.get(TAKEN, {}))
    own = {*lost} - _awaited(job, lost)
    taken = before + Counter([*(str(terminal_id) for _, terminal_id in own), *(ALL for _ in {who for who, _ in own})])
    agreed = Losses.from_json(job.params[LOSSES])
    by_terminal = {int(key): count for key, count in taken.items() if key != ALL}
    if agreed.are_exceeded_by(by_terminal, taken[ALL]):
        raise PlanChanged
    known = Counter({ALL: agreed.people}) + Counter({str(loss.terminal_id): loss.loses for loss in agreed.terminals})
    _count_beyond((taken - known) - (before - known))
    job.params = {**job.params, TAKEN: taken}


def _count_beyond(more: Counter[str]) -> None:
    """Count what exceeds the agreement, by terminal and of ALL people, among what the requester took within a day.

    :raises PlanChanged: when that is too much.
    """
    terminals = [(int(key), count) for key, count in more.items() if key != ALL]
    losses = (
        Loss(terminal_id, "", count, mass_removals.count_present(terminal_id) + count)
        for terminal_id, count in terminals
    )
    try:
        Losses(tuple(losses), more[ALL]).require(Confirmation(None, by_admin=False))
    except AdministratorNeeded as error:
        raise PlanChanged from error


def _awaited(job: Job, lost: Collection[Pair]) -> set[Pair]:
    """Return those of the losses that an item of another open job of groups is agreed to have, and has still to do.

    Whichever job comes first does it for all.
    """
    people = {employee_id for employee_id, _ in lost}
    waiting = (
        select(JobItem.employee_id, JobItem.confirmed[LOSES])
        .join(Job, Job.id == JobItem.job_id)
        .where(Job.kind == GROUPS, Job.state.in_(OPEN), Job.id != job.id)
        .where(JobItem.state == WAITING, JobItem.employee_id.in_(people))
    )
    rows = db.session.execute(waiting)
    return {(employee_id, terminal_id) for employee_id, loses in rows for terminal_id in loses or ()}


def of_rest(job: Job) -> Losses:
    """Return who loses access by the items of a job that wait, or failed and are tried again, as it would be now."""
    return KINDS[job.kind].losses(job)
