"""What is read from a record into the columns of an event, and read again."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from hikflask.extensions import db
from hikflask.isapi.events import event_record
from hikflask.models import Employee, Event, Terminal
from hikflask.models.event import BREAK_OUT, CHECK_IN, OTHER, OVERTIME_OUT, PASSED
from hikflask.services.core.db import transaction
from hikflask.services.passages import interpretation
from hikflask.services.passages.interpretation import columns_of, interpret_again
from tests.support.events import AT, add_events, event_row

READ = ("major", "minor", "kind", "number", "name", "device_time", "device_at", "occurred_at", "employee_id", "picture")


def columns(raw: dict[str, object], clock_offset: int = 0) -> dict[str, object]:
    record = event_record(raw)
    assert record is not None
    return columns_of(record, clock_offset)


def state() -> list[tuple[object, ...]]:
    return [
        tuple(getattr(event, name) for name in READ) for event in db.session.scalars(select(Event).order_by(Event.id))
    ]


def test_the_time_is_corrected_by_how_much_the_clock_is_ahead() -> None:
    raw: dict[str, object] = {"major": 5, "minor": 75, "time": "2026-11-30T09:01:32+03:00", "serialNo": 7}
    read = columns(raw | {"employeeNoString": "100222", "name": "Иван"}, clock_offset=92)

    assert read == {
        "major": 5,
        "minor": 75,
        "kind": PASSED,
        "number": "100222",
        "name": "Иван",
        "attendance": "",
        "is_duress": False,
        "device_time": "2026-11-30T09:01:32+03:00",
        "device_at": datetime(2026, 11, 30, 6, 1, 32, tzinfo=UTC),
        "occurred_at": datetime(2026, 11, 30, 6, 0, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    ("sent", "button"),
    [("checkIn", CHECK_IN), ("overTimeOut", OVERTIME_OUT), ("overtimeOut", OVERTIME_OUT), ("breakOut", BREAK_OUT)]
    + [(nothing, "") for nothing in ("undefined", "invalid", "", None, 0, "nonsense")],
)
def test_button_that_was_pressed_is_read_however_it_is_spelled_and_from_what_is_kept(sent: object, button: str) -> None:
    record = event_record({"major": 5, "minor": 75, "time": "", "serialNo": 7, "attendanceStatus": sent})
    assert record is not None
    again = event_record(record.raw)
    assert again is not None

    assert [columns_of(one, 0)["attendance"] for one in (record, again)] == [button, button]


def test_a_clock_that_was_reset_is_corrected_as_well() -> None:
    ahead = -round((AT - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    assert columns({"minor": 75, "time": "1970-01-01T00:00:07Z"}, ahead)["occurred_at"] == AT + timedelta(seconds=7)


def test_a_time_that_is_not_readable_and_a_code_that_is_not_known_are_kept() -> None:
    read = columns({"major": 5, "minor": 4711, "time": "soon", "serialNo": 7})

    assert (read["kind"], read["device_time"]) == (OTHER, "soon")
    assert read["device_at"] == read["occurred_at"] == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.both_databases
@pytest.mark.usefixtures("context")
def test_reading_again_gives_the_same_and_mends_what_was_read_by_an_older_program(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpretation, "PORTION", 2)
    employee = Employee(number="100222", name="Иван", department="")
    with transaction():
        db.session.add(employee)
    rows = [event_row(terminal, at=AT + timedelta(minutes=n), employee=employee, picture=f"{n}.jpg") for n in range(5)]
    rows[0].occurred_at -= timedelta(seconds=92)
    rows[1].record = {**rows[1].record, "name": "Иван"}
    rows[1].name = "Иван"
    rows[2].record = {**rows[2].record, "time": "2026-11-30T12:02:00"}
    rows[2].device_time = "2026-11-30T12:02:00"
    rows[3].record = {}
    # Local time that was read in the zone of the terminal.
    rows[4].record = {**rows[4].record, "time": "2026-11-30T12:04:00+00:00"}
    rows[4].device_time = "2026-11-30T12:04:00+00:00"
    add_events(*rows)
    before = state()

    assert interpret_again() == 0
    assert state() == before

    with transaction():
        db.session.execute(update(Event).values(kind=OTHER, name="?"))
    assert interpret_again() == 4
    assert [row for n, row in enumerate(state()) if n != 3] == [row for n, row in enumerate(before) if n != 3]
    assert interpret_again() == 0


def test_duress_is_told_by_the_record() -> None:
    assert [columns({"minor": 1, "cardType": card})["is_duress"] for card in (5, 1, None)] == [True, False, False]
