"""Events for programs: each is read once in the order in which it was stored, and none is skipped."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, update

from hikflask.extensions import db
from hikflask.isapi.events import event_record
from hikflask.models import Employee, Event, Terminal
from hikflask.models.event import NO_PERMISSION, PASSED
from hikflask.services.core.db import transaction
from hikflask.services.core.errors import CursorUnknown
from hikflask.services.passages import cursor
from hikflask.services.passages.cursor import BEGINNING, EventFilter
from hikflask.services.passages.store import store
from tests.support.between import Other
from tests.support.employees import save_with_file
from tests.support.events import AT, add_events, event_row

ALL = EventFilter()
pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("context")]


@pytest.fixture(name="ivan")
def saved() -> Employee:
    return save_with_file()


def followed(since: str = "", limit: int = 2, wanted: EventFilter = ALL) -> Iterator[list[int]]:
    """Follow as a program does, to the end."""
    while True:
        answer = cursor.read(since, limit, wanted)
        if not answer.rows:
            return
        yield [row.id for row in answer.rows]
        since = answer.next


def test_each_event_comes_once_in_the_order_of_storing_whatever_its_time(terminal: Terminal) -> None:
    ids = add_events(*(event_row(terminal, at=AT - timedelta(hours=hours)) for hours in (1, 5, 0, 5, 2)))

    assert list(followed()) == [ids[:2], ids[2:4], ids[4:]]
    end = cursor.read("", 100, ALL).next
    assert cursor.read(end, 100, ALL) == cursor.Events([], end)

    later = add_events(event_row(terminal, at=AT - timedelta(days=30)))
    assert list(followed(end)) == [later]


def test_row_of_a_transaction_that_is_committed_later_is_not_skipped(app: Flask, terminal: Terminal) -> None:
    def stored(serial_no: int) -> list[int]:
        row = {"major": 5, "minor": 75, "time": datetime.now(UTC).isoformat(timespec="seconds"), "serialNo": serial_no}
        return store(terminal.id, "DS-1", [record for record in [event_record(row)] if record], 0, is_new=True)

    def read() -> cursor.Events:
        with app.app_context():
            return cursor.read("", 100, ALL)

    with ThreadPoolExecutor(1) as somebody, transaction():
        first = stored(1)
        other = Other(app, lambda: stored(2))
        other.act()
        # Whoever reads now must not be led past the first one.
        meanwhile = somebody.submit(read).result()
    other.finish()

    assert (other.blocked, other.error, meanwhile) == (True, None, cursor.Events([], BEGINNING))
    assert list(followed()) == [[*first, *other.result]]


def test_place_before_the_first_event_is_kept(terminal: Terminal) -> None:
    assert cursor.read("", 100, ALL) == cursor.Events([], BEGINNING)
    assert cursor.read(BEGINNING, 100, ALL) == cursor.Events([], BEGINNING)

    ids = add_events(event_row(terminal))
    assert list(followed(BEGINNING)) == [ids]


def test_filters_choose_rows_and_do_not_change_what_a_cursor_means(terminal: Terminal, ivan: Employee) -> None:
    ids = add_events(
        event_row(terminal, employee=ivan),
        event_row(terminal, kind=NO_PERMISSION, code=(5, 9), number="777"),
        event_row(terminal, employee=ivan),
        event_row(terminal, kind=NO_PERMISSION, code=(5, 9), number="777"),
        event_row(terminal, kind=NO_PERMISSION, code=(5, 9), employee=ivan),
    )
    for wanted, places in (
        (EventFilter(terminal_id=terminal.id), range(5)),
        (EventFilter(terminal_id=99), ()),
        (EventFilter(employee_id=ivan.id), (0, 2, 4)),
        (EventFilter(number="777"), (1, 3)),
        (EventFilter(kind=PASSED), (0, 2)),
        (EventFilter(terminal.id, ivan.id, ivan.number, NO_PERMISSION), (4,)),
    ):
        found = [row_id for page in followed(limit=2, wanted=wanted) for row_id in page]
        assert found == [ids[place] for place in places], wanted

    first = cursor.read("", 1, EventFilter(kind=PASSED))
    assert [row.id for row in cursor.read(first.next, 100, EventFilter(kind=NO_PERMISSION)).rows] == [
        ids[1],
        *ids[3:],
    ]
    # The end of one filter is the end of all.
    assert cursor.read("", 100, EventFilter(terminal_id=99)).next == cursor.read("", 100, ALL).next


def test_it_goes_on_after_what_it_points_to_was_deleted(terminal: Terminal) -> None:
    ids = add_events(*(event_row(terminal) for _ in range(4)))
    second, end = cursor.read("", 2, ALL).next, cursor.read("", 4, ALL).next

    with transaction():
        db.session.execute(delete(Event).where(Event.id.in_(ids[1:2])))
    assert list(followed(second)) == [ids[2:]]

    with transaction():
        db.session.execute(delete(Event))
    assert cursor.read(end, 100, ALL) == cursor.Events([], end)
    later = add_events(event_row(terminal))
    assert list(followed(end)) == [later]


def refused(since: str) -> tuple[str, ...]:
    with pytest.raises(CursorUnknown) as error:
        cursor.read(since, 100, ALL)
    return error.value.fields


def test_what_no_answer_gave_is_refused(terminal: Terminal) -> None:
    add_events(event_row(terminal))
    for since in (
        "x",
        "1",
        "-1",
        "1-",
        "1-20260101T000000",
        "1-20261301T000000000000",
        f"{10**9}9-20260101T000000000000",
    ):
        assert refused(since) == ("since",), since


def test_cursor_of_rows_that_a_restore_took_away_is_refused(terminal: Terminal) -> None:
    add_events(event_row(terminal), event_row(terminal), event_row(terminal))
    end = cursor.read("", 100, ALL).next

    def store_again(count: int) -> None:
        # As a restore leaves it: the same ids, given once more and later.
        with transaction():
            db.session.execute(delete(Event))
            for row_id in range(1, count + 1):
                db.session.add(again := event_row(terminal))
                again.id = row_id
        with transaction():
            db.session.execute(update(Event).values(received_at=AT.replace(year=2100)))

    for count in (2, 3, 4):
        store_again(count)
        assert refused(end) == ("since",), count


def test_row_has_the_name_of_today_and_else_that_of_the_terminal(terminal: Terminal, ivan: Employee) -> None:
    add_events(
        event_row(terminal, employee=ivan, name="Ivan I."),
        event_row(terminal, number="777", name="Гость"),
        event_row(terminal),
    )
    names: list[Any] = [(row.employee_name, row.name) for row in cursor.read("", 100, ALL).rows]

    assert names == [("Иван Иванов", "Ivan I."), (None, "Гость"), (None, "")]
