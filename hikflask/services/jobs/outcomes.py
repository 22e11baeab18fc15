"""What became of the items of jobs, as of now: which are done, were mended since, need a photo, or failed, and why.

An item keeps what was said when it ended. Its enrolment goes on without it: by another job, by hand, by the worker. So
what failed may be confirmed since, and does not count among what is still to be done.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, Text, and_, case, cast, false, func, literal, or_, select
from sqlalchemy.orm import aliased, joinedload

from hikflask.extensions import db
from hikflask.isapi.errors import CLASSES, FaceRefused, ModelingFailed
from hikflask.models import Employee, Enrolment, Job, JobItem, Terminal
from hikflask.models.enrolment import CONFIRMED, REMOVED
from hikflask.models.job import FAILED, OPEN, SENT, STOPPED
from hikflask.models.refusal import Refusal
from hikflask.services.core import keyset
from hikflask.services.core.keyset import FIRST, Keyset, Page, Place
from hikflask.services.jobs.kinds import SEND
from hikflask.services.jobs.queries import ItemOf
from hikflask.services.state.badges import CAPTURE_AGAIN, NO_PHOTO_THERE, WHY_NO_FACE
from hikflask.services.state.enrolment import NO_PHOTO, is_in

# Of so many failed items it is looked what became of them, where several jobs are shown, or one that still runs.
MAX_LOOKED_AT = 5000
# So many people of a reason are shown with it.
MAX_PEOPLE = 24
ITEMS = Keyset((JobItem.id.asc(),), "items of a reason")
# There is no photo on the terminal, for one reason or another.
WITHOUT_PHOTO = {NO_PHOTO, *(code for code, badge in WHY_NO_FACE.items() if badge == NO_PHOTO_THERE)}
# Only a picture that is taken anew helps.
NEEDS_PHOTO = WITHOUT_PHOTO | {
    *(code for code, badge in WHY_NO_FACE.items() if badge == CAPTURE_AGAIN),
    *(code for code, kind in CLASSES.items() if issubclass(kind, (FaceRefused, ModelingFailed))),
}
# The enrolment of the number at the terminal of the job, for items that ended without one.
LATER = aliased(Enrolment)
IS_MENDED = func.coalesce(
    or_(
        and_(Enrolment.desired == JobItem.desired, is_in(CONFIRMED, REMOVED)),
        LATER.state == literal(CONFIRMED, literal_execute=True),
    ),
    false(),
)
TERMINAL_ID = func.coalesce(Enrolment.terminal_id, Job.terminal_id)
CODE = case((JobItem.refusal_code.in_(WITHOUT_PHOTO), NO_PHOTO), else_=JobItem.refusal_code)


@dataclass(frozen=True)
class Reason:
    """Why items of a job failed, at one terminal or none; or that they are mended since.

    `code` is that of the refusals, or NO_PHOTO for all that say so. `refusal` is that of the first item; `is_same`:
    the same is true of all, word by word.
    """

    code: str
    count: int
    refusal: Refusal | None
    is_same: bool
    terminal: Terminal | None
    is_mended: bool = False

    @property
    def key(self) -> str:
        """What names it in an address."""
        return "mended" if self.is_mended else f"{self.code}.{self.terminal.id if self.terminal else 0}"

    @property
    def needs_photo(self) -> bool:
        """True when only a picture that is taken anew helps."""
        return not self.is_mended and self.code in NEEDS_PHOTO


@dataclass(frozen=True)
class Outcome:
    """How many items of a job are done, are mended since, need a photo, failed otherwise, and are not ended.

    `reasons` has them by reason, the most frequent first, and last those that are mended.
    """

    done: int
    mended: int
    needs_photo: int
    failed: int
    left: int
    reasons: Sequence[Reason] = ()

    @property
    def total(self) -> int:
        """How many items there are."""
        return self.done + self.mended + self.to_do + self.left

    @property
    def to_do(self) -> int:
        """How many failed and are not mended."""
        return self.needs_photo + self.failed


def of(job: Job) -> Outcome:
    """Return what became of the items of a job."""
    return of_jobs([job], limited=job.is_open)[job.id]


def of_jobs(jobs: Sequence[Job], *, limited: bool = True) -> dict[int, Outcome]:
    """Return what became of the items of each job.

    :param limited: the failed items of a job that has very many count as failed, whatever became of them since.
    """
    looked_at, room = [], MAX_LOOKED_AT
    for job in jobs:
        if _may_differ(job) and (not limited or job.failed <= room):
            looked_at.append(job.id)
            room -= job.failed
    reasons = _reasons(looked_at) if looked_at else {}
    return {job.id: _outcome(job, reasons.get(job.id)) for job in jobs}


def _may_differ(job: Job) -> bool:
    return job.failed > 0 or job.state in {FAILED, STOPPED}


def _outcome(job: Job, reasons: list[Reason] | None) -> Outcome:
    done, left = max(job.done - job.failed, 0), max(job.total - job.done, 0)
    if reasons is None:
        return Outcome(done, 0, 0, job.failed, left)
    mended = sum(reason.count for reason in reasons if reason.is_mended)
    needs_photo = sum(reason.count for reason in reasons if reason.needs_photo)
    failed = sum(reason.count for reason in reasons if not reason.is_mended) - needs_photo
    return Outcome(
        done, mended, needs_photo, failed, max(left - (mended + needs_photo + failed - job.failed), 0), reasons
    )


def _items(*columns: Any) -> Select[Any]:
    """Return the statement for columns of items that failed, and of those confirmed that a stopped job has sent."""
    later = and_(
        JobItem.enrolment_id.is_(None),
        Job.kind == SEND,
        LATER.terminal_id == Job.terminal_id,
        LATER.number == JobItem.number,
    )
    # A job that was stopped does not look any more at what it has sent.
    sent = and_(JobItem.state == SENT, Job.state.not_in(OPEN), IS_MENDED)
    return (
        select(*columns)
        .select_from(JobItem)
        .join(Job, Job.id == JobItem.job_id)
        .outerjoin(Enrolment, Enrolment.id == JobItem.enrolment_id)
        .outerjoin(LATER, later)
        .where(JobItem.state.in_((FAILED, SENT)), or_(JobItem.state == FAILED, sent))
    )


def _reasons(job_ids: Sequence[int]) -> dict[int, list[Reason]]:
    items = _items(
        JobItem.id,
        JobItem.job_id,
        CODE.label("code"),
        TERMINAL_ID.label("terminal_id"),
        IS_MENDED.label("is_mended"),
        cast(JobItem.refusal, Text).label("text"),
    ).where(JobItem.job_id.in_(job_ids))
    item = items.subquery().c
    group = (item.job_id, item.is_mended, item.code, item.terminal_id)
    about = (func.count(), func.min(item.id), func.min(item.text) == func.max(item.text))
    rows = db.session.execute(select(*group, *about).group_by(*group).order_by(func.count().desc(), func.min(item.id)))
    return _as_reasons(rows.all())


def _as_reasons(rows: Sequence[Any]) -> dict[int, list[Reason]]:
    first_items = select(JobItem.id, JobItem.refusal).where(JobItem.id.in_([row[5] for row in rows]))
    refusals = {item_id: refusal for item_id, refusal in db.session.execute(first_items)}
    ids = {row.terminal_id for row in rows}
    terminals = {row.id: row for row in db.session.execute(select(Terminal).where(Terminal.id.in_(ids))).scalars()}
    reasons: dict[int, list[Reason]] = {}
    mended: dict[int, int] = {}
    for job_id, is_mended, code, terminal_id, count, first, is_same in rows:
        of_job = reasons.setdefault(job_id, [])
        if is_mended:
            mended[job_id] = mended.get(job_id, 0) + count
        else:
            says_same = bool(is_same) or code == NO_PHOTO
            of_job.append(Reason(code, count, refusals[first], says_same, terminals.get(terminal_id)))
    for job_id, count in mended.items():
        reasons[job_id].append(Reason("", count, None, is_same=True, terminal=None, is_mended=True))
    return reasons


def page(job_id: int, reason: Reason, limit: int = MAX_PEOPLE, place: Place = FIRST) -> Page[ItemOf]:
    """Return a page of the items of a reason, with their employees.

    :raises CursorUnknown:
    """
    terminal_id = reason.terminal.id if reason.terminal else None
    same = [CODE.in_([reason.code]), TERMINAL_ID.is_not_distinct_from(terminal_id), ~IS_MENDED]
    items = _items(JobItem).outerjoin(Employee, Employee.id == JobItem.employee_id).add_columns(Employee)
    items = items.where(JobItem.job_id == job_id, *([IS_MENDED] if reason.is_mended else same))
    found = keyset.read(items.options(joinedload(Employee.photo)), ITEMS, limit, place)
    return replace(found, rows=[ItemOf(item, employee) for item, employee in found.rows])
