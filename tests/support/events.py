"""Records of terminals, as they are in the database once they were read, and the time that these cover."""

from datetime import UTC, datetime
from itertools import count

from hikflask.extensions import db
from hikflask.models import Employee, Event, Terminal
from hikflask.models.event import PASSED
from hikflask.services.core.db import transaction
from hikflask.services.passages import coverage
from hikflask.services.passages.coverage import Span

AT = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
SERIALS = count(1000)


def event_row(
    terminal: Terminal,
    *,
    at: datetime = AT,
    kind: str = PASSED,
    code: tuple[int, int] = (5, 75),
    employee: Employee | None = None,
    number: str = "",
    name: str = "",
    serial_no: int | None = None,
    picture: str | None = None,
    attendance: str = "",
) -> Event:
    """Return what a terminal recorded at a moment, about an employee, about a number that is nobody's, or nobody."""
    number = employee.number if employee else number
    serial_no = next(SERIALS) if serial_no is None else serial_no
    written = at.isoformat(timespec="seconds")
    record = {"major": code[0], "minor": code[1], "time": written, "serialNo": serial_no}
    if number:
        record |= {"employeeNoString": number, "name": name}
    return Event(
        terminal_id=terminal.id,
        employee_id=employee.id if employee else None,
        device_serial=terminal.serial,
        serial_no=serial_no,
        device_at=at,
        device_time=written,
        occurred_at=at,
        major=code[0],
        minor=code[1],
        kind=kind,
        number=number,
        name=name,
        attendance=attendance,
        picture=picture,
        record=record,
    )


def add_events(*events: Event) -> list[int]:
    """Store events in this order and return their ids."""
    with transaction():
        for event in events:
            db.session.add(event)
            db.session.flush()
    return [event.id for event in events]


def spans_of(terminal_id: int, now: datetime | None = None) -> list[Span]:
    """The spans of one terminal."""
    terminal = db.session.get_one(Terminal, terminal_id, populate_existing=True)
    return coverage.spans_of_each([terminal], now)[terminal_id]
