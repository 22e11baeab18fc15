"""Reads what terminals recorded: a page of it, newest first, by person, terminal, kind, day and department.

Each statement follows one index to the rows of its page and stops there, so a million events take no longer than a
few. An index has the events of one kind in their order, not those of several: of these each kind is read by itself,
and the newest of all are the page.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from flask import current_app
from sqlalchemy import ColumnElement, and_, or_, select

from hikflask.extensions import db
from hikflask.models import Employee, Event, EventLog, Terminal
from hikflask.models.columns import contains_text
from hikflask.models.event import (
    DOOR,
    EXPIRED,
    KINDS,
    LIVENESS,
    NO_PERMISSION,
    OPERATION,
    OUTSIDE_HOURS,
    PASSED,
    REFUSED,
    UNKNOWN_PERSON,
)
from hikflask.services.core import keyset
from hikflask.services.core.dates import end_of, start_of
from hikflask.services.core.db import MAX_COUNTED, count_rows_up_to, rows_of
from hikflask.services.core.keyset import FIRST, Keyset, Page, PagePosition
from hikflask.services.departments import registry as departments
from hikflask.services.employees import search, word_index
from hikflask.services.employees.filters import MAX_SEARCH_LENGTH
from hikflask.text_rules import folded, storable

# Somebody stood there and was not let in.
DENIED = (UNKNOWN_PERSON, NO_PERMISSION, OUTSIDE_HOURS, EXPIRED, LIVENESS, REFUSED)
# Of every passage a terminal tells twice or more what its lock and its door did.
BESIDES = (DOOR, OPERATION)
# What a filter may name: each kind, and several of them under one word.
KINDS_BY_NAME: dict[str, tuple[str, ...]] = {"denied": DENIED, **{kind: (kind,) for kind in KINDS}}
# The passages of so many employees are read one by one; of more, those of all are walked through.
FEW = 200
# Of an employee, and the faces of a terminal, which are among so many events.
MAX_LAST, MAX_FACES, LAST_READ = 30, 8, 100
# A terminal's events are missing once it could not be read so often, and for so long.
READINGS_MISSED, MIN_LATE_SECONDS = 4, 120.0
NEWEST = Keyset((Event.occurred_at.desc(), Event.id.desc()), "events")


@dataclass(frozen=True)
class EventFilter:
    """The conditions of a list of events. An empty value is no condition.

    `words` is what is typed to find employees: name, ID or department; where nobody has these words, the ID as the
    terminals know it. `person` is an employee's id, `number` an ID as the terminals know it. `day` is a local day.
    `without` are kinds that are left out.
    """

    words: str = ""
    person: int | None = None
    number: str = ""
    terminal: int | None = None
    kinds: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    day: date | None = None
    department: str = ""


def page_of(wanted: EventFilter, limit: int, place: PagePosition = FIRST) -> Page[Event]:
    """Return a page of events, the newest first. :raises CursorUnknown: when the cursor is none of such a list."""
    # Of the index alone, as a rule: the rows themselves are read of the page only.
    places = [select(Event.id, *NEWEST.columns).where(*where) for where in _each(wanted)]
    rows = [row for some in places for row in db.session.execute(NEWEST.chosen(some, place).limit(limit + 1))]
    rows.sort(key=lambda row: row[1:], reverse=not place.is_backwards)
    page = keyset.first_of_rows(keyset.cut(rows[: limit + 1], NEWEST, limit, place))
    shown = select(Event).where(Event.id.in_(page.rows)).order_by(*NEWEST.order)
    events = db.session.execute(shown, execution_options={"populate_existing": True}).scalars()
    return Page(list(events), page.after, page.before)


def count_up_to(wanted: EventFilter) -> int:
    """Return how many events there are, counted up to MAX_COUNTED."""
    counts = (count_rows_up_to(select(Event.id).where(*where)) for where in _each(wanted))
    return min(sum(counts), MAX_COUNTED + 1)


def last_of(employee_id: int) -> list[Event]:
    """Return when an employee passed last or was not let in, the newest first."""
    return page_of(EventFilter(person=employee_id, kinds=(PASSED, *DENIED)), MAX_LAST).rows


def entries_since(terminal_id: int, since: datetime) -> list[tuple[datetime, bool]]:
    """Return when somebody passed at a terminal, True, or was not let in, False."""
    entries = select(Event.occurred_at, Event.kind == PASSED).where(Event.kind.in_((PASSED, *DENIED)))
    rows = rows_of(entries.where(Event.terminal_id == terminal_id, Event.occurred_at >= since))
    return [(at, passed) for at, passed in rows]


def last_faces(terminal_id: int) -> list[tuple[Employee, datetime]]:
    """Return the employees who passed at a terminal last, each once and with the time, the newest first."""
    passed = [Event.terminal_id == terminal_id, Event.kind == PASSED, Event.employee_id.is_not(None)]
    statement = select(Event.employee_id, Event.occurred_at).where(*passed).order_by(*NEWEST.order).limit(LAST_READ)
    last: dict[int | None, datetime] = {}
    for employee_id, at in rows_of(statement):
        last.setdefault(employee_id, at)
    ids = [employee_id for employee_id in last if employee_id][:MAX_FACES]
    return [(employee, last[employee.id]) for employee in search.of_ids(ids, enrolments=False)]


@dataclass(frozen=True)
class Missing:
    """A terminal whose latest events are not here, and since when; None: none was ever read."""

    terminal: Terminal
    since: datetime | None


def late_after() -> timedelta:
    """Return after what time a log that was not read is late."""
    return timedelta(seconds=max(READINGS_MISSED * current_app.config["PASSAGES_INTERVAL"], MIN_LATE_SECONDS))


def missing_since(now: datetime | None = None) -> list[Missing]:
    """Return the terminals in use whose log was not read for some time, by name."""
    before = (now or datetime.now(UTC)) - late_after()
    read = EventLog.complete_to
    statement = select(Terminal, read).outerjoin(EventLog).where(Terminal.is_active)
    rows = db.session.execute(statement.where(or_(read.is_(None), read < before)).order_by(Terminal.name)).all()
    return [Missing(terminal, since) for terminal, since in rows]


def _each(wanted: EventFilter) -> list[list[ColumnElement[bool]]]:
    """Return the conditions for the events of each kind, or of all when none is named."""
    where: list[ColumnElement[bool]] = []
    if wanted.person is not None:
        where.append(Event.employee_id == wanted.person)
    if wanted.number:
        where.append(Event.number == storable(wanted.number))
    if wanted.terminal is not None:
        where.append(Event.terminal_id == wanted.terminal)
    if wanted.without:
        where.append(Event.kind.not_in(wanted.without))
    if wanted.day:
        where += [Event.occurred_at >= start_of(wanted.day), Event.occurred_at < end_of(wanted.day)]
    if wanted.words or wanted.department:
        where.append(_of_employees(wanted))
    if not wanted.kinds:
        return [where]
    # Nobody is among the many unknown persons.
    of_person = wanted.person is not None or wanted.number or wanted.words or wanted.department
    return [[*where, Event.kind == kind] for kind in wanted.kinds if not (of_person and kind == UNKNOWN_PERSON)]


def _of_employees(wanted: EventFilter) -> ColumnElement[bool]:
    """Return the condition for the events of employees with these words, in this department."""
    words = list(dict.fromkeys(folded(wanted.words[:MAX_SEARCH_LENGTH]).split()))
    of_whom: list[ColumnElement[bool]] = [contains_text(Employee.search, word) for word in words]
    found = select(Employee.id).where(Employee.id.in_(word_index.ids(words))) if words else select(Employee.id)
    if wanted.department:
        typed = storable(wanted.department)
        of_whom.append(Employee.department == (departments.find(typed) or typed))
        found = found.where(of_whom[-1])
    few = list(db.session.execute(found.limit(FEW + 1)).scalars())
    if not few and words:
        return Event.number == storable(wanted.words)
    if len(few) <= FEW:
        return Event.employee_id.in_(few)
    # As a value of each event that is walked to: PostgreSQL would join, and read all events for that.
    value = select(and_(*of_whom)).where(Employee.id == Event.employee_id).scalar_subquery()
    return value.is_(True)
