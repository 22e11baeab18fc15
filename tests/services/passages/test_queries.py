"""The list of events: which pass a filter, in which order, page by page."""

from datetime import date, timedelta
from typing import Any

import pytest

from hikflask.extensions import db
from hikflask.models import Employee, Event, Terminal
from hikflask.models.event import LIVENESS, NO_PERMISSION, OPERATION, PASSED, UNKNOWN_PERSON
from hikflask.services.core.db import transaction
from hikflask.services.core.keyset import FIRST, PagePosition
from hikflask.services.passages import queries
from hikflask.services.passages.queries import DENIED, EventFilter, count_up_to, page_of
from tests.support.events import AT, add_events, event_row

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"TIMEZONE": "Europe/Moscow"}


def employee(number: str, name: str, department: str = "") -> Employee:
    row = Employee(number=number, name=name, department=department)
    with transaction():
        db.session.add(row)
    return row


def numbers(wanted: EventFilter) -> list[int]:
    """The serial numbers of the events that pass a filter, as the list has them; the count is the same."""
    page = page_of(wanted, 50)
    assert count_up_to(wanted) == len(page.rows)
    return [event.serial_no for event in page.rows]


@pytest.mark.both_databases
def test_filters_find_by_person_terminal_kind_day_and_department(terminal: Terminal) -> None:
    ivan = employee("100222", "Иван Иванов", "Охрана")
    anna = employee("100223", "Анна Петрова", "Склад")
    noon = [AT + timedelta(days=day) for day in range(5)]
    other = Terminal(name="Склад", url="http://other.test", username="admin", password_encrypted="", serial="OTHER")
    with transaction():
        db.session.add(other)
    add_events(
        event_row(terminal, at=noon[0], employee=ivan, serial_no=1),
        event_row(terminal, at=noon[1], employee=anna, serial_no=2, kind=NO_PERMISSION),
        event_row(other, at=noon[2], serial_no=3, kind=UNKNOWN_PERSON),
        event_row(other, at=noon[3], employee=anna, serial_no=4),
        event_row(terminal, at=noon[4], number="777", name="Пётр", serial_no=5, kind=LIVENESS),
    )
    assert numbers(EventFilter()) == [5, 4, 3, 2, 1]
    assert numbers(EventFilter(person=anna.id)) == [4, 2]
    assert numbers(EventFilter(words="ПЕТРОВ анна")) == numbers(EventFilter(words="100223")) == [4, 2]
    assert numbers(EventFilter(words="нетникого")) == []
    assert numbers(EventFilter(words="777")) == numbers(EventFilter(number="777")) == [5]
    assert numbers(EventFilter(terminal=other.id)) == [4, 3]
    assert numbers(EventFilter(kinds=(PASSED,))) == [4, 1]
    assert numbers(EventFilter(kinds=DENIED)) == [5, 3, 2]
    assert numbers(EventFilter(kinds=DENIED, terminal=terminal.id)) == [5, 2]
    assert numbers(EventFilter(kinds=(UNKNOWN_PERSON,), department="Склад")) == []
    assert numbers(EventFilter(day=date(2026, 12, 1))) == [2]
    assert numbers(EventFilter(department="Склад")) == [4, 2]
    assert numbers(EventFilter(department="Склад", words="иван")) == []


def test_last_of_an_employee_are_passages_and_no_operations(terminal: Terminal) -> None:
    ivan = employee("100222", "Иван Иванов")
    add_events(
        event_row(terminal, at=AT, employee=ivan, serial_no=1),
        event_row(terminal, at=AT + timedelta(minutes=1), employee=ivan, serial_no=2, kind=NO_PERMISSION),
        event_row(terminal, at=AT + timedelta(minutes=2), employee=ivan, serial_no=3, kind=OPERATION, code=(4, 1076)),
    )
    assert [event.serial_no for event in queries.last_of(ivan.id)] == [2, 1]


@pytest.mark.both_databases
def test_many_employees_with_a_word_are_walked_through(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "FEW", 0)
    ivan, anna = employee("100222", "Иван Иванов", "Охрана"), employee("100223", "Анна Петрова", "Склад")
    add_events(event_row(terminal, employee=ivan, serial_no=1), event_row(terminal, employee=anna, serial_no=2))
    assert numbers(EventFilter(words="петров")) == numbers(EventFilter(department="Склад")) == [2]


@pytest.mark.parametrize("kinds", [(), DENIED])
def test_pages_go_on_and_back_without_losing_one_of_the_same_moment(terminal: Terminal, kinds: tuple[str, ...]) -> None:
    rows = [event_row(terminal, kind=DENIED[number % 3]) for number in range(7)]
    ids, wanted = add_events(*rows), EventFilter(kinds=kinds)
    seen, place = [], FIRST
    while True:
        page = page_of(wanted, 3, place)
        seen.append([event.id for event in page.rows])
        if not page.after:
            break
        place = PagePosition(after=page.after)
    assert [one for page_ids in seen for one in page_ids] == ids[::-1]
    before = page_of(wanted, 3, PagePosition(before=page.before))
    assert [event.id for event in before.rows] == seen[1]
    assert (before.before, before.after) != ("", "")


def test_more_than_are_counted_are_many(terminal: Terminal) -> None:
    with transaction():
        db.session.add_all(event_row(terminal, kind=DENIED[number % 3]) for number in range(210))
    assert count_up_to(EventFilter(kinds=DENIED)) == count_up_to(EventFilter()) == 201
    assert db.session.query(Event).count() == 210
