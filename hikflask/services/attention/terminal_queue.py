"""The queue of a terminal: what it does now, and what waits for it, in the order in which that is done.

Every read follows the index ix_enrolment_due for a few rows, so it costs the same however many wait.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import selectinload

from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT, PRESENT
from hikflask.services.core.db import count_rows_up_to
from hikflask.services.enrolments.schedule import MOST_IN_A_TURN
from hikflask.services.state.enrolment import AWAITS_CORRECTION, CLAIM_SECONDS
from hikflask.services.terminals import leases

REMOVALS, SINGLE, MANY = "removals", "single", "many"
# Part of the queue, with what its rows desire and whether they are of many: the order of schedule.URGENCY.
PARTS = ((REMOVALS, ABSENT, False), (REMOVALS, ABSENT, True), (SINGLE, PRESENT, False), (MANY, PRESENT, True))
# Rows are not counted any further.
MOST_COUNTED = 1000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LARGEST = 2**53


@dataclass(frozen=True)
class Place:
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

    `in_use`: somebody talks to the terminal. `now`: whose turn it is. `lines`: who comes after them. `following`: where
    the next page begins, or None. `counts`: how many wait in each part, up to MOST_COUNTED. `stopped`: how many more
    wait until the terminal's password is corrected, up to as many.
    """

    terminal: Terminal
    in_use: bool
    now: list[Enrolment]
    lines: list[Line]
    following: Place | None
    counts: dict[str, int]
    stopped: int

    @property
    def waiting(self) -> int:
        """How many wait in all, up to MOST_COUNTED."""
        return min(MOST_COUNTED, sum(self.counts.values()) + self.stopped)

    @property
    def is_empty(self) -> bool:
        """True when nothing waits, and nobody talks to the terminal."""
        return not (self.in_use or self.now or self.waiting)


def place_of(text: str) -> Place | None:
    """Return the place that a text names, or None when it names none."""
    part, when, row = [int(number) if number.isdecimal() else -1 for number in (text.split("-") + [""] * 3)[:3]]
    if not (0 <= part < len(PARTS) and 0 <= when < LARGEST and 0 <= row < LARGEST):
        return None
    return Place(part, EPOCH + when * MICROSECOND, row)


def queue_of(terminal: Terminal, limit: int, after: Place | None = None) -> Queue:
    """Return the queue of a terminal, at most so many rows of it."""
    now = _now(terminal.id)
    beside = [one.id for one in now]
    found = _lines(terminal.id, beside, after, limit + 1)
    lines = [line for _, line in found[:limit]]
    following = _place(found[limit - 1]) if len(found) > limit else None
    in_use = db.session.execute(select(~leases.free()).where(Terminal.id == terminal.id)).scalar_one()
    stopped = _count_stopped(terminal.id) if terminal.refused_since else 0
    return Queue(terminal, bool(in_use), now, lines, following, _counts(terminal.id), stopped)


def waits(terminal_id: int, desired: str, in_bulk: bool) -> ColumnElement[bool]:
    """Return the condition that an enrolment waits in this part of a terminal's queue."""
    mine = and_(Enrolment.terminal_id == terminal_id, Enrolment.desired == desired, Enrolment.in_bulk.is_(in_bulk))
    return and_(mine, Enrolment.next_attempt_at.is_not(None))


def _now(terminal_id: int) -> list[Enrolment]:
    """Return whom the worker has claimed for a turn, and has not tried before, or tries at this moment."""
    claimed = Enrolment.next_attempt_at.between(database_now(), database_now(CLAIM_SECONDS))
    mine = or_(Enrolment.step != "", and_(Enrolment.refusal_code == "", Enrolment.attempts == 0))
    found: list[Enrolment] = []
    for _, desired, in_bulk in PARTS:
        found += _read(MOST_IN_A_TURN, waits(terminal_id, desired, in_bulk), claimed, mine)
    return sorted(found[:MOST_IN_A_TURN], key=lambda one: not one.step)


def _lines(terminal_id: int, beside: list[int], after: Place | None, limit: int) -> list[tuple[int, Line]]:
    found: list[tuple[int, Line]] = []
    for number, (part, desired, in_bulk) in enumerate(PARTS):
        if after and number < after.part:
            continue
        begin = [_behind(after)] if after and number == after.part else []
        where = (waits(terminal_id, desired, in_bulk), Enrolment.id.not_in(beside), *begin)
        found += [(number, Line(part, row)) for row in _read(limit - len(found), *where)]
        if len(found) >= limit:
            break
    return found


def _behind(after: Place) -> ColumnElement[bool]:
    later = and_(Enrolment.next_attempt_at == after.when, Enrolment.id > after.id)
    return and_(Enrolment.next_attempt_at >= after.when, or_(Enrolment.next_attempt_at > after.when, later))


def _read(limit: int, *where: ColumnElement[bool]) -> Iterator[Enrolment]:
    statement = select(Enrolment).where(*where).order_by(Enrolment.next_attempt_at, Enrolment.id).limit(limit)
    statement = statement.options(selectinload(Enrolment.employee), selectinload(Enrolment.terminal))
    return db.session.execute(statement, execution_options={"populate_existing": True}).scalars()


def _place(found: tuple[int, Line]) -> Place:
    number, line = found
    row = line.enrolment
    return Place(number, row.next_attempt_at or EPOCH, row.id)


def _count_stopped(terminal_id: int) -> int:
    stopped = select(Enrolment.id).where(Enrolment.terminal_id == terminal_id, AWAITS_CORRECTION)
    return count_rows_up_to(stopped, MOST_COUNTED - 1)


def _counts(terminal_id: int) -> dict[str, int]:
    counts = dict.fromkeys((REMOVALS, SINGLE, MANY), 0)
    for part, desired, in_bulk in PARTS:
        more = count_rows_up_to(select(Enrolment.id).where(waits(terminal_id, desired, in_bulk)), MOST_COUNTED - 1)
        counts[part] = min(MOST_COUNTED, counts[part] + more)
    return counts
