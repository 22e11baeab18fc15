"""The queue of a terminal: what it does now, and what waits for it, in the order in which that is done.

Every read follows the index ix_enrolment_due for a few rows, so it costs the same however many wait.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import selectinload
from sqlalchemy.orm.attributes import set_committed_value

from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT, PRESENT
from hikflask.services.core.db import count_rows_up_to
from hikflask.services.enrolments.schedule import MAX_IN_A_TURN
from hikflask.services.state.enrolment import AWAITS_CORRECTION, CLAIM_SECONDS
from hikflask.services.terminals import leases

REMOVALS, SINGLE, MANY = "removals", "single", "many"
# Part of the queue, with what its rows desire and whether they are of many: the order of schedule.URGENCY.
PARTS = ((REMOVALS, ABSENT, False), (REMOVALS, ABSENT, True), (SINGLE, PRESENT, False), (MANY, PRESENT, True))
# Rows are not counted any further.
MAX_COUNTED = 1000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MAX_INTEGER = 2**53


@dataclass(frozen=True)
class QueuePosition:
    """A place in the queue, after which the next page begins: part, time of the next attempt, id."""

    part: int
    when: datetime
    id: int

    def __str__(self) -> str:
        return f"{self.part}-{(self.when - EPOCH) // MICROSECOND}-{self.id}"


@dataclass(frozen=True)
class Line:
    """A row of the queue and the part that it belongs to."""

    part: str
    enrolment: Enrolment


@dataclass(frozen=True)
class Queue:
    """The queue of a terminal.

    `in_use`: a conversation with the terminal is open. `now`: the enrolments whose turn it is. `lines`: those that come
    next. `following`: where the next page begins, or None. `counts`: how many wait in each part, up to MAX_COUNTED.
    `stopped` and `stopped_removals`: how many more wait to be on the terminal and to be removed from it until its
    password is corrected, each up to MAX_COUNTED.
    """

    terminal: Terminal
    in_use: bool
    now: list[Enrolment]
    lines: list[Line]
    following: QueuePosition | None
    counts: dict[str, int]
    stopped: int
    stopped_removals: int

    @property
    def employees(self) -> int:
        """How many wait to be on the terminal, up to MAX_COUNTED."""
        return min(MAX_COUNTED, self.counts[SINGLE] + self.counts[MANY] + self.stopped)

    @property
    def removals(self) -> int:
        """How many wait to be removed from it, up to MAX_COUNTED."""
        return min(MAX_COUNTED, self.counts[REMOVALS] + self.stopped_removals)

    @property
    def is_empty(self) -> bool:
        """True when nothing waits, and no conversation with the terminal is open."""
        return not (self.in_use or self.now or self.employees or self.removals)


def place_of(text: str) -> QueuePosition | None:
    """Return the place that a text names, or None when it names none."""
    part, when, row = [int(number) if number.isdecimal() else -1 for number in (text.split("-") + [""] * 3)[:3]]
    if not (0 <= part < len(PARTS) and 0 <= when < MAX_INTEGER and 0 <= row < MAX_INTEGER):
        return None
    return QueuePosition(part, EPOCH + when * MICROSECOND, row)


def queue_of(terminal: Terminal, limit: int, after: QueuePosition | None = None) -> Queue:
    """Return the queue of a terminal, at most so many rows of it."""
    now = _now(terminal.id)
    rows = _lines(terminal.id, [enrolment.id for enrolment in now], after, limit + 1)
    lines = [Line(PARTS[number][0], enrolment) for number, enrolment in rows[:limit]]
    following = None
    if len(rows) > limit:
        number, last = rows[limit - 1]
        following = QueuePosition(number, last.next_attempt_at or EPOCH, last.id)
    # The terminal's row was read before: whoever talks to it is read together with whether somebody does.
    lease = select(~leases.FREE, Terminal.lease_holder, Terminal.lease_purpose).where(Terminal.id == terminal.id)
    in_use, holder, purpose = db.session.execute(lease).one()
    set_committed_value(terminal, "lease_holder", holder)
    set_committed_value(terminal, "lease_purpose", purpose)
    awaiting = select(Enrolment.id).where(Enrolment.terminal_id == terminal.id, AWAITS_CORRECTION)
    by_desired = (awaiting.where(Enrolment.desired == desired) for desired in (PRESENT, ABSENT))
    stopped = [count_rows_up_to(one, MAX_COUNTED - 1) if terminal.refused_since else 0 for one in by_desired]
    return Queue(terminal, bool(in_use), now, lines, following, _counts(terminal.id), *stopped)


def waits(terminal_id: int, desired: str, in_bulk: bool) -> ColumnElement[bool]:
    """Return the condition that an enrolment waits in this part of a terminal's queue."""
    here = and_(Enrolment.terminal_id == terminal_id, Enrolment.desired == desired, Enrolment.in_bulk.is_(in_bulk))
    return and_(here, Enrolment.next_attempt_at.is_not(None))


def _now(terminal_id: int) -> list[Enrolment]:
    """Return the enrolments that the worker has claimed for a turn, and has not tried before, or tries now."""
    claimed = Enrolment.next_attempt_at.between(database_now(), database_now(CLAIM_SECONDS))
    is_now = or_(Enrolment.step != "", and_(Enrolment.refusal_code == "", Enrolment.attempts == 0))
    rows: list[Enrolment] = []
    for _, desired, in_bulk in PARTS:
        rows += _read(MAX_IN_A_TURN, waits(terminal_id, desired, in_bulk), claimed, is_now)
    return sorted(rows[:MAX_IN_A_TURN], key=lambda enrolment: not enrolment.step)


def _lines(terminal_id: int, but: list[int], after: QueuePosition | None, limit: int) -> list[tuple[int, Enrolment]]:
    """Return the first enrolments behind a place, each with the index of its part, without those with the ids `but`."""
    rows: list[tuple[int, Enrolment]] = []
    for number, (_, desired, in_bulk) in enumerate(PARTS):
        where = [waits(terminal_id, desired, in_bulk), Enrolment.id.not_in(but)]
        if after and number == after.part:
            same_time = and_(Enrolment.next_attempt_at == after.when, Enrolment.id > after.id)
            where += [Enrolment.next_attempt_at >= after.when, or_(Enrolment.next_attempt_at > after.when, same_time)]
        if (not after or number >= after.part) and len(rows) < limit:
            rows += [(number, enrolment) for enrolment in _read(limit - len(rows), *where)]
    return rows


def _read(limit: int, *where: ColumnElement[bool]) -> Iterator[Enrolment]:
    statement = select(Enrolment).where(*where).order_by(Enrolment.next_attempt_at, Enrolment.id).limit(limit)
    statement = statement.options(selectinload(Enrolment.employee), selectinload(Enrolment.terminal))
    return db.session.execute(statement, execution_options={"populate_existing": True}).scalars()


def _counts(terminal_id: int) -> dict[str, int]:
    counts = dict.fromkeys((REMOVALS, SINGLE, MANY), 0)
    for part, desired, in_bulk in PARTS:
        more = count_rows_up_to(select(Enrolment.id).where(waits(terminal_id, desired, in_bulk)), MAX_COUNTED - 1)
        counts[part] = min(MAX_COUNTED, counts[part] + more)
    return counts
