"""Reads what terminals recorded: a page of it, newest first, by person, terminal, kind, day and department.

Each statement follows one index to the rows of its page and stops there, so a million events take no longer than a
few. An index has the events of one kind in their order, not those of several: of these each kind is read by itself,
and the newest of all are the page.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, exists, select

from hikflask.extensions import db
from hikflask.models import Employee, Event
from hikflask.models.columns import contains_text
from hikflask.models.event import EXPIRED, KINDS, LIVENESS, NO_PERMISSION, OUTSIDE_HOURS, REFUSED, UNKNOWN_PERSON
from hikflask.services.core import keyset
from hikflask.services.core.dates import end_of, start_of
from hikflask.services.core.db import MAX_COUNTED, count_rows_up_to
from hikflask.services.core.keyset import FIRST, Keyset, Page, Place
from hikflask.services.departments import registry as departments
from hikflask.services.employees import word_index
from hikflask.services.employees.filters import MAX_SEARCH_LENGTH
from hikflask.text_rules import folded, storable

# Somebody stood there and was not let in.
DENIED = (UNKNOWN_PERSON, NO_PERMISSION, OUTSIDE_HOURS, EXPIRED, LIVENESS, REFUSED)
# What a filter may name: each kind, and several of them under one word.
KINDS_BY_NAME: dict[str, tuple[str, ...]] = {"denied": DENIED, **{kind: (kind,) for kind in KINDS}}
# The passages of so many employees are read one by one; of more, those of all are walked through.
FEW = 200
NEWEST = Keyset((Event.occurred_at.desc(), Event.id.desc()), "events")


@dataclass(frozen=True)
class EventFilter:
    """The conditions of a list of events. An empty value is no condition.

    `words` is what is typed to find employees: name, ID or department; where nobody has these words, the ID as the
    terminals know it. `person` is an employee's id, `number` an ID as the terminals know it. `day` is a local day.
    """

    words: str = ""
    person: int | None = None
    number: str = ""
    terminal: int | None = None
    kinds: tuple[str, ...] = ()
    day: date | None = None
    department: str = ""


def page_of(wanted: EventFilter, limit: int, place: Place = FIRST) -> Page[Event]:
    """Return a page of events, the newest first.

    :raises CursorUnknown: when the cursor is none of such a list.
    """
    rows = [row for where in _each(wanted) for row in _newest(where, limit, place)]
    rows.sort(key=lambda row: row[1:], reverse=not place.is_backwards)
    page = keyset.first_of_rows(keyset.cut(rows[: limit + 1], NEWEST, limit, place))
    return Page(_of_ids(page.rows), page.after, page.before)


def count_up_to(wanted: EventFilter) -> int:
    """Return how many events there are, counted up to MAX_COUNTED."""
    counts = (count_rows_up_to(select(Event.id).where(*where)) for where in _each(wanted))
    return min(sum(counts), MAX_COUNTED + 1)


def _newest(where: list[ColumnElement[bool]], limit: int, place: Place) -> Iterable[Any]:
    # Of the index alone, as a rule: the rows themselves are read of the page only.
    statement = select(Event.id, *NEWEST.columns).where(*where)
    return db.session.execute(NEWEST.chosen(statement, place).limit(limit + 1))


def _of_ids(ids: list[int]) -> list[Event]:
    statement = select(Event).where(Event.id.in_(ids)).order_by(*NEWEST.order)
    return list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())


def _each(wanted: EventFilter) -> list[list[ColumnElement[bool]]]:
    """Return the conditions for the events of each kind, or of all when none is named."""
    where: list[ColumnElement[bool]] = []
    if wanted.person is not None:
        where.append(Event.employee_id == wanted.person)
    if wanted.number:
        where.append(Event.number == storable(wanted.number))
    if wanted.terminal is not None:
        where.append(Event.terminal_id == wanted.terminal)
    if wanted.day:
        where += [Event.occurred_at >= start_of(wanted.day), Event.occurred_at < end_of(wanted.day)]
    if wanted.words or wanted.department:
        where.append(_of_employees(wanted))
    return [[*where, Event.kind == kind] for kind in wanted.kinds] or [where]


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
    return exists().where(Employee.id == Event.employee_id, *of_whom)
