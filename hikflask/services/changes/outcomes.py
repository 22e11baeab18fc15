"""What became of the items of jobs, as of now: which are done, were mended since, need a photo, or failed, and why.

An item keeps what was said when it ended. Its enrolment goes on without it: by another job, by hand, by the worker. So
what failed may be confirmed since, and does not count among what is still to be done.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Select, String, Text, and_, case, cast, false, func, literal, or_, select
from sqlalchemy.orm import aliased, joinedload

from hikflask.codes.badges import NO_PHOTO_THERE
from hikflask.codes.refusals import ROUND, codes, type_of
from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Job, JobItem, Terminal
from hikflask.models.enrolment import CONFIRMED, REMOVED
from hikflask.models.job import FAILED, OPEN, SENT, STOPPED
from hikflask.models.refusal import Refusal
from hikflask.services.changes.kinds import SEND
from hikflask.services.changes.queries import ItemOf
from hikflask.services.core import keyset
from hikflask.services.core.keyset import FIRST, Keyset, Page, PagePosition
from hikflask.services.state.enrolment import NO_PHOTO, is_in

# Of so many failed items it is looked what became of them, where several jobs are shown, or one that still runs.
MAX_LOOKED_AT = 5000
# So many people of a reason are shown with it.
MAX_PEOPLE = 24
ITEMS = Keyset((JobItem.id.asc(),), "items of a reason")
# There is no photo on the terminal, for one reason or another.
WITHOUT_PHOTO = codes(badge=NO_PHOTO_THERE)
# The enrolment of the number at the terminal of the job, for items that ended without one.
LATER = aliased(Enrolment)
# The number that is there may be somebody else's by now.
IS_THEIRS = or_(is_in(REMOVED), JobItem.employee_id.is_(None), JobItem.employee_id == Enrolment.employee_id)
IS_MENDED = func.coalesce(
    or_(
        and_(Enrolment.desired == JobItem.desired, Enrolment.is_confirmed, IS_THEIRS),
        LATER.state == literal(CONFIRMED, literal_execute=True),
    ),
    false(),
)
TERMINAL_ID = func.coalesce(Enrolment.terminal_id, Job.terminal_id)
CODE = case((JobItem.refusal_code.in_(WITHOUT_PHOTO), NO_PHOTO), else_=JobItem.refusal_code)
# What a reason is called in an address.
MENDED = "mended"
KEY = case((IS_MENDED, MENDED), else_=CODE + "." + cast(func.coalesce(TERMINAL_ID, 0), String))


@dataclass(frozen=True)
class Reason:
    """Why items of a job failed, at one terminal or none; or that they are mended since.

    `key` names it in an address. `refusal` is that of the first item; `is_same`: the same is true of all, word by word.
    `first_ids` are those of the first MAX_PEOPLE items.
    """

    key: str
    count: int
    refusal: Refusal | None
    is_same: bool
    terminal: Terminal | None
    first_ids: Sequence[int]

    @property
    def is_mended(self) -> bool:
        """True when their enrolments are confirmed since."""
        return self.key == MENDED

    @property
    def code(self) -> str:
        """The code of the refusals, or NO_PHOTO for all that say so."""
        return self.key.rpartition(".")[0]

    @property
    def needs_photo(self) -> bool:
        """True when only a picture that is taken anew helps."""
        return not self.is_mended and type_of(self.code).step == ROUND


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
        LATER.employee_id == JobItem.employee_id,
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


@dataclass
class _Group:
    """Items of a job with the same reason, while they are counted. `texts`: of up to two different refusals."""

    terminal_id: int | None
    count: int = 0
    first_ids: list[int] = field(default_factory=list)
    texts: list[str | None] = field(default_factory=list)

    def add(self, item_id: int, text: str | None) -> None:
        self.count += 1
        if len(self.first_ids) < MAX_PEOPLE:
            self.first_ids.append(item_id)
        if len(self.texts) < 2 and text not in self.texts:
            self.texts.append(text)


def _reasons(job_ids: Sequence[int]) -> dict[int, list[Reason]]:
    """Group in one pass: to let the database do it takes longer, as it reads the JSON of each item several times."""
    groups: dict[int, dict[str, _Group]] = {job_id: {} for job_id in job_ids}
    codes: dict[str | None, str] = {None: ""}
    columns = (JobItem.id, JobItem.job_id, IS_MENDED, TERMINAL_ID, cast(JobItem.refusal, Text))
    items = _items(*columns).where(JobItem.job_id.in_(job_ids)).order_by(JobItem.id)
    for item_id, job_id, is_mended, terminal_id, text in db.session.execute(items):
        if text not in codes:
            code = json.loads(text)["code"]
            codes[text] = NO_PHOTO if code in WITHOUT_PHOTO else code
        key = MENDED if is_mended else f"{codes[text]}.{terminal_id or 0}"
        groups[job_id].setdefault(key, _Group(terminal_id)).add(item_id, text)
    ids = {group.terminal_id for of_job in groups.values() for group in of_job.values()}
    terminals = {row.id: row for row in db.session.execute(select(Terminal).where(Terminal.id.in_(ids))).scalars()}
    return {
        job_id: sorted(
            (_reason(key, group, terminals) for key, group in of_job.items()),
            key=lambda reason: (reason.is_mended, -reason.count),
        )
        for job_id, of_job in groups.items()
    }


def _reason(key: str, group: _Group, terminals: Mapping[int, Terminal]) -> Reason:
    text = group.texts[0]
    is_same = len(group.texts) == 1 or key == MENDED or key.startswith(f"{NO_PHOTO}.")
    terminal = None if key == MENDED or group.terminal_id is None else terminals.get(group.terminal_id)
    return Reason(key, group.count, json.loads(text) if text else None, is_same, terminal, group.first_ids)


def people(reasons: Iterable[Reason]) -> dict[int, ItemOf]:
    """Return the first items of each reason by their ids, with their employees."""
    ids = [item_id for reason in reasons for item_id in reason.first_ids]
    items = select(JobItem, Employee).outerjoin(Employee, Employee.id == JobItem.employee_id)
    items = items.where(JobItem.id.in_(ids)).options(joinedload(Employee.photo))
    return {item.id: ItemOf(item, employee) for item, employee in db.session.execute(items)}


def page(job_id: int, reason: Reason, limit: int, place: PagePosition = FIRST) -> Page[ItemOf]:
    """Return a page of the items of a reason, with their employees.

    :raises CursorUnknown:
    """
    items = _items(JobItem).outerjoin(Employee, Employee.id == JobItem.employee_id).add_columns(Employee)
    items = items.where(JobItem.job_id == job_id, KEY.in_([reason.key])).options(joinedload(Employee.photo))
    found = keyset.read(items, ITEMS, limit, place)
    return replace(found, rows=[ItemOf(item, employee) for item, employee in found.rows])
