"""Events for programs, in the order in which they were stored: each is read once, and none is skipped.

Rows are committed in the order of their ids (services/passages/store.py), so whoever has read up to one has all before
it. A cursor is the id of the last row that was looked at and the moment it was received: after a restore from a backup
ids are given once more, but not with the same moment.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from hikflask.extensions import db
from hikflask.models import Employee, Event
from hikflask.services.core.errors import CursorUnknown

# The place before the first row.
BEGINNING = "0"
CURSOR = re.compile(r"(?P<id>[0-9]{1,10})-(?P<received_at>[0-9]{8}T[0-9]{12})", re.ASCII)
MOMENT = "%Y%m%dT%H%M%S%f"
COLUMNS = (
    *(Event.id, Event.terminal_id, Event.device_serial, Event.serial_no, Event.occurred_at, Event.device_time),
    *(Event.major, Event.minor, Event.kind, Event.number, Event.employee_id, Event.name, Event.picture),
    *(Event.received_at, Event.attendance),
)

# An event as programs get it, by the names of the API.
FIELDS = (
    *("id", "device_id", "device_serial", "serial_no", "time", "device_time", "code", "kind"),
    *("hikvision_id", "user_id", "name", "received_at", "attendance"),
)


@dataclass(frozen=True)
class EventFilter:
    """Which events are asked for; an empty value is ignored."""

    terminal_id: int | None = None
    employee_id: int | None = None
    number: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Events:
    """Rows of COLUMNS, each with the employee's name behind it, and the cursor from which to go on."""

    rows: Sequence[Any]
    next: str


@dataclass(frozen=True)
class ReadPosition:
    """A row up to which a program has read, and when it was received."""

    id: int
    received_at: datetime

    def __str__(self) -> str:
        return f"{self.id}-{self.received_at.strftime(MOMENT)}"


def read(since: str, limit: int, wanted: EventFilter) -> Events:
    """Return the events behind a cursor, the first ones stored first.

    There is always a cursor to go on from. Where fewer than `limit` are found, it is behind all that is stored now,
    whatever the filter, so that no row is looked at twice.

    :param since: the cursor of an earlier answer; empty for the oldest event that is kept.
    :raises cursor_unknown: when it is none, or the database does not go on from there.
    """
    last = db.session.execute(select(Event.id, Event.received_at).order_by(Event.id.desc()).limit(1)).first()
    newest = ReadPosition(*last) if last else None
    place = None if since in {"", BEGINNING} else _place(since, newest)
    if newest is None or (place and place.id >= newest.id):
        return Events([], since or BEGINNING)
    here = [Event.id > place.id] if place else []
    statement = select(*COLUMNS, Employee.name.label("employee_name")).outerjoin(Employee)
    statement = statement.where(*here, Event.id <= newest.id, *_conditions(wanted)).order_by(Event.id).limit(limit)
    rows = db.session.execute(statement).all()
    if len(rows) < limit:
        return Events(rows, str(newest))
    return Events(rows, str(ReadPosition(rows[-1].id, rows[-1].received_at)))


def fields_of(row: Any) -> dict[str, Any]:
    """Return the FIELDS of a row of COLUMNS, with the employee's name behind it."""
    values = (
        *(row.id, row.terminal_id, row.device_serial, row.serial_no, zulu(row.occurred_at), row.device_time),
        *(f"{row.major}/{row.minor}", row.kind, row.number or None, row.employee_id),
        *(row.employee_name or row.name or None, zulu(row.received_at), row.attendance or None),
    )
    return dict(zip(FIELDS, values, strict=True))


def zulu(moment: datetime) -> str:
    """Return a moment in UTC, with its sign."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _place(since: str, newest: ReadPosition | None) -> ReadPosition:
    found = CURSOR.fullmatch(since)
    try:
        received_at = datetime.strptime(found["received_at"] if found else "", MOMENT).replace(tzinfo=UTC)
    except ValueError as error:
        raise CursorUnknown(fields=("since",)) from error
    place = ReadPosition(int(found["id"]) if found else 0, received_at)
    if newest is None:
        return place
    if place.id <= newest.id:
        # None: the row was deleted since.
        row = db.session.execute(select(Event.received_at).where(Event.id == place.id)).scalar_one_or_none()
        is_another = row not in {None, place.received_at}
    else:
        is_another = newest.received_at > place.received_at
    if is_another:
        raise CursorUnknown(fields=("since",))
    return place


def _conditions(wanted: EventFilter) -> list[ColumnElement[bool]]:
    # Terminal and kind are expressions that no index has: with it the database would sort all events of a terminal or a
    # kind each time, while a program that follows asks for the last few ids.
    conditions: list[ColumnElement[bool]] = []
    if wanted.terminal_id is not None:
        conditions.append(Event.terminal_id + 0 == wanted.terminal_id)
    if wanted.kind:
        conditions.append(Event.kind + "" == wanted.kind)
    if wanted.employee_id is not None:
        conditions.append(Event.employee_id == wanted.employee_id)
    if wanted.number:
        conditions.append(Event.number == wanted.number)
    return conditions
