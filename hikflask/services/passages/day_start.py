"""Which beginning of the day of work leaves shifts whole, where the current one cuts many of them in two.

A shift is from an entrance to the last exit before a longer absence. It is whole where it begins and ends on the day of
work that has the date of its beginning.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import groupby
from operator import itemgetter

from flask import current_app
from sqlalchemy import select

from hikflask.models import Event, Terminal
from hikflask.models.event import PASSED
from hikflask.models.terminal import WAY_OUT
from hikflask.services.core.dates import local
from hikflask.services.core.db import rows_of
from hikflask.services.passages.days import DIRECTION, ONE_DAY, Span

# Fewer cut shifts are an exception, such as overtime.
MIN_CUT = 3
MAX_BREAK, MAX_SHIFT = timedelta(hours=4), timedelta(hours=20)
# A day that begins after noon would have the date of the day before its shifts.
HOURS = range(13)

Shift = tuple[datetime, datetime]


@dataclass(frozen=True)
class Proposal:
    """A beginning of the day, and how many shifts the current one cuts in two."""

    begins: time
    cut: int


def proposed(employee_ids: Collection[int], span: Span) -> Proposal | None:
    """Return a beginning of the day that cuts at most half as many shifts of these employees, or None."""
    shifts = list(_shifts(employee_ids, span))
    cut = _cut(shifts, current_app.config["PASSAGES_DAY_START"] or time.min)
    by_hour = {hour: _cut(shifts, time(hour)) for hour in HOURS} if cut >= MIN_CUT else {}
    best = [hour for hour in by_hour if by_hour[hour] == min(by_hour.values())]
    if not best or by_hour[best[0]] * 2 > cut:
        return None
    return Proposal(time(best[len(best) // 2]), cut)


def _cut(shifts: Collection[Shift], border: time) -> int:
    whole = (
        datetime.combine(entered, border) <= entered and left <= datetime.combine(entered + ONE_DAY, border)
        for entered, left in shifts
    )
    return len(shifts) - sum(whole)


def _shifts(employee_ids: Collection[int], span: Span) -> Iterator[Shift]:
    """Yield when each shift began and ended, by the local clock."""
    columns = select(Event.employee_id, Event.occurred_at, DIRECTION)
    statement = columns.outerjoin(Terminal, Terminal.id == Event.terminal_id)
    # From a day before until a day after, so that shifts at the edges are whole.
    since, until = span.begins - ONE_DAY, span.ends + ONE_DAY
    statement = statement.where(Event.employee_id.in_(employee_ids), Event.kind + "" == PASSED)
    statement = statement.where(Event.occurred_at >= since, Event.occurred_at < until, DIRECTION != "")
    rows = rows_of(statement.order_by(Event.employee_id, Event.occurred_at, Event.id))
    for _employee_id, passages in groupby(rows, key=itemgetter(0)):
        for entered, left in _of_one((at, direction) for _id, at, direction in passages):
            if left - entered <= MAX_SHIFT:
                yield local(entered).replace(tzinfo=None), local(left).replace(tzinfo=None)


def _of_one(passages: Iterator[tuple[datetime, str]]) -> Iterator[Shift]:
    entered: datetime | None = None
    left: datetime | None = None
    for at, direction in passages:
        if direction == WAY_OUT:
            left = at if entered else None
        elif entered is None or at - (left or entered) > (MAX_BREAK if left else MAX_SHIFT):
            if entered and left:
                yield entered, left
            entered, left = at, None
    if entered and left:
        yield entered, left
