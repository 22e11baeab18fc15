"""When employees came and went, by days of work: first in, last out, and the hours between. No rule of a timesheet.

A day of work begins at HIKFLASK_PASSAGES_DAY_START, so that a night shift is one day. The arrival is the first passage
at an entrance, and the departure the last one at an exit. Where somebody passed at none of them, the first and the last
passage at terminals without a direction stand for them. There the button that was pressed
counts as one. Whoever entered once more has no departure.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, literal, or_, select
from sqlalchemy.orm import joinedload

from hikflask.extensions import db
from hikflask.models import Employee, Event, Terminal
from hikflask.models.columns import UTCDateTime
from hikflask.models.event import PASSED, PRESSED_IN, PRESSED_OUT
from hikflask.models.terminal import WAY_IN, WAY_OUT
from hikflask.services.core import keyset
from hikflask.services.core.dates import local, zone
from hikflask.services.core.db import rows_of
from hikflask.services.core.keyset import FIRST, Keyset, Page, PagePosition
from hikflask.services.employees import filters
from hikflask.services.employees.filters import EmployeeFilter

CAME, ABSENT = PRESENCES = ("came", "absent")
BY_NAME = Keyset(filters.SORTS["name"], "days")
ONE_DAY, ONE_MINUTE = timedelta(days=1), timedelta(minutes=1)
# Days of a year and a day: the statement has a border for each.
MAX_DAYS = 367
# Where somebody went: by the terminal, or else by the button that was pressed there.
DIRECTION = case(
    (Terminal.direction != "", Terminal.direction),
    (Event.attendance.in_(PRESSED_IN), WAY_IN),
    (Event.attendance.in_(PRESSED_OUT), WAY_OUT),
    else_="",
)


@dataclass(frozen=True)
class Span:
    """Days of work, the first and the last one inclusive."""

    first: date
    last: date

    @property
    def days(self) -> list[date]:
        """All of them."""
        return [self.first + count * ONE_DAY for count in range((self.last - self.first).days + 1)]

    @property
    def begins(self) -> datetime:
        """The moment when the first one begins."""
        return start_of(self.first)

    @property
    def ends(self) -> datetime:
        """The moment when the last one is over."""
        return start_of(self.last + ONE_DAY)


@dataclass(frozen=True)
class Day:
    """A day of an employee who passed. `arrival` and `departure` are None where no passage tells them.

    `entered_at` is when somebody entered after the last exit, and `left_at` when somebody left who had not entered.
    """

    arrival: datetime | None
    departure: datetime | None
    passages: int
    entered_at: datetime | None = None
    left_at: datetime | None = None

    @property
    def minutes(self) -> int | None:
        """The minutes between, as the times are written; None where one is missing, or they are in the wrong order."""
        if self.arrival is None or self.departure is None or self.departure <= self.arrival:
            return None
        return int(_to_the_minute(self.departure) - _to_the_minute(self.arrival)) // 60


@dataclass(frozen=True)
class PeopleFilter:
    """Which employees are shown: as in the list of employees, and whether they passed on these days.

    `later`: who arrived later than that on the one day that is shown. `employee_id`: that employee alone.
    """

    q: str = ""
    department: str = ""
    presence: str = ""
    later: time | None = None
    employee_id: int | None = None


def start_of(day: date) -> datetime:
    """Return the moment when a day of work begins, in UTC."""
    begins = current_app.config["PASSAGES_DAY_START"] or time.min
    return datetime.combine(day, begins, zone()).astimezone(UTC)


def day_of(moment: datetime) -> date:
    """Return the day of work that a moment belongs to."""
    day = local(moment).date()
    return day if moment >= start_of(day) else day - ONE_DAY


def of_people(employee_ids: Collection[int], span: Span) -> dict[int, dict[date, Day]]:
    """Return the days on which each of these employees passed."""
    found: dict[int, dict[date, dict[str, Any]]] = defaultdict(lambda: defaultdict(dict))
    for employee_id, day, direction, first, last, count in rows_of(_by_day(employee_ids, span)):
        found[employee_id][span.first + day * ONE_DAY][direction] = (first, last, count)
    return {
        employee_id: {day: _day(found_there) for day, found_there in sorted(by_day.items())}
        for employee_id, by_day in found.items()
    }


def page(wanted: PeopleFilter, span: Span, limit: int, place: PagePosition = FIRST) -> Page[Employee]:
    """Return a page of the employees who are shown: of a day who arrived first, of more days by name.

    Whose arrival is not known comes last, by name.

    :raises CursorUnknown: when the cursor does not fit this list.
    """
    statement, order = select(Employee).options(joinedload(Employee.photo)), BY_NAME
    if span.first == span.last:
        arrivals = _arrivals(span)
        statement = statement.outerjoin(arrivals, arrivals.c.employee_id == Employee.id)
        arrived = func.coalesce(arrivals.c.at, literal(span.ends, UTCDateTime()))
        order = Keyset((arrived.asc(), *BY_NAME.order), "arrivals")
    return keyset.first_of_rows(keyset.read(_people(wanted, span, statement), order, limit, place))


def count(wanted: PeopleFilter, span: Span) -> int:
    """Return how many employees are shown."""
    shown = _people(wanted, span, select(Employee.id)).subquery()
    return db.session.execute(select(func.count()).select_from(shown)).scalar_one()


def people(wanted: PeopleFilter, span: Span) -> Iterable[Any]:
    """Return id, number, name and department of all employees who are shown, by name."""
    columns: Any = select(Employee.id, Employee.number, Employee.name, Employee.department)
    return rows_of(_people(wanted, span, columns).order_by(*BY_NAME.order))


def _to_the_minute(moment: datetime) -> float:
    return moment.replace(second=0, microsecond=0).timestamp()


def _by_day(employee_ids: Collection[int], span: Span) -> Select[int, int, str, datetime, datetime, int]:
    """Return the statement for the first and the last passage of each employee, day and direction."""
    ends = [start_of(day + ONE_DAY) for day in span.days]
    day = case(*((Event.occurred_at < end, number) for number, end in enumerate(ends)))
    statement = select(
        Event.employee_id,
        day.label("day"),
        DIRECTION.label("way"),
        func.min(Event.occurred_at),
        func.max(Event.occurred_at),
        func.count(),
    ).outerjoin(Terminal, Terminal.id == Event.terminal_id)
    # The kind as an expression that no index has: the passages of these employees are fewer than all of these days.
    statement = statement.where(Event.employee_id.in_(employee_ids), Event.kind + "" == PASSED, *_within(span))
    return statement.group_by(Event.employee_id, "day", "way")


def _arrivals(span: Span) -> Subquery:
    """Return whose arrival is known on the day of a span, and when it was: as _day() says."""

    def at(way: str) -> Any:
        return case({way: Event.occurred_at}, value=DIRECTION)

    first_in, first, last_out = func.min(at(WAY_IN)), func.min(at("")), func.max(at(WAY_OUT))
    arrival = func.coalesce(first_in, case((or_(last_out.is_(None), first < last_out), first)))
    statement = select(Event.employee_id, arrival.label("at")).outerjoin(Terminal, Terminal.id == Event.terminal_id)
    return statement.where(Event.kind == PASSED, *_within(span)).group_by(Event.employee_id).subquery()


def _after(clock: time, day: date) -> datetime:
    """Return from when on an arrival is later than a clock's time on a day of work, as times are written."""
    moments = [datetime.combine(there, clock, zone()).astimezone(UTC) for there in (day, day + ONE_DAY)]
    return next(moment for moment in moments if moment >= start_of(day)) + ONE_MINUTE


def _within(span: Span) -> tuple[ColumnElement[bool], ...]:
    return Event.occurred_at >= span.begins, Event.occurred_at < span.ends


def _people(wanted: PeopleFilter, span: Span, statement: Select[Any]) -> Select[Any]:
    passed = (
        select(Event.id).where(Event.employee_id == Employee.id, Event.kind + "" == PASSED, *_within(span)).exists()
    )
    where = filters.conditions(EmployeeFilter(q=wanted.q, department=wanted.department))
    if wanted.presence == CAME:
        where.append(passed)
    elif wanted.presence == ABSENT:
        where += [and_(Employee.is_active), ~passed]
    else:
        where.append(or_(and_(Employee.is_active), passed))
    if wanted.later:
        arrivals = _arrivals(span)
        late = select(arrivals.c.employee_id).where(arrivals.c.at >= _after(wanted.later, span.first))
        where.append(Employee.id.in_(late))
    if wanted.employee_id:
        where.append(Employee.id == wanted.employee_id)
    return statement.where(*where)


def _day(found: dict[str, tuple[datetime, datetime, int]]) -> Day:
    """Return a day by the first and the last passage, and their number, at each direction where somebody passed."""
    passages = sum(count for _first, _last, count in found.values())
    first, last, count = found.get("", (None, None, 0))
    arrival, departure = first, last if count > 1 else None
    if WAY_IN in found:
        arrival = found[WAY_IN][0]
        # At a terminal without a direction somebody may have passed on the way in, too.
        departure = last if last and last > arrival else None
    if WAY_OUT in found:
        departure = found[WAY_OUT][1]
        if WAY_IN not in found:
            arrival = first if first and first < departure else None
    entered_at = found[WAY_IN][1] if WAY_IN in found and departure and departure <= found[WAY_IN][1] else None
    left_at = found[WAY_OUT][0] if WAY_OUT in found and arrival and found[WAY_OUT][0] < arrival else None
    return Day(arrival, None if entered_at else departure, passages, entered_at, left_at)
