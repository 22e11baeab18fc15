"""Passages as tables for other programs: days of work for 1C, check-ins for frappe/hrms, and events as they are.

1C: a row for each day on which somebody passed, with Russian columns, as its form for loading a table has them.
frappe/hrms: the fields of the document type Employee Checkin (hrms/hr/doctype/employee_checkin/employee_checkin.json),
which its Data Import reads by these names, separated by commas and without a byte order mark. The time is local, to the
second; the same one twice is refused there, so it is given once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import literal, select, tuple_

from hikflask.extensions import db
from hikflask.models import Employee, Event, Terminal
from hikflask.models.columns import UTCDateTime
from hikflask.models.event import PASSED
from hikflask.models.terminal import WAY_IN, WAY_OUT
from hikflask.services.core.dates import TABLE_TIME, local
from hikflask.services.core.db import end_read, rows_of
from hikflask.services.passages import cursor, days
from hikflask.services.passages.days import Day, PeopleFilter, Span
from hikflask.services.spreadsheets.csv_writer import BYTE_ORDER_MARK, SEPARATOR, Rows

FOR_1C, FRAPPE, RAW = KINDS = ("1c", "frappe", "raw")
LOG_TYPES = {WAY_IN: "IN", WAY_OUT: "OUT"}
PEOPLE, EVENTS = 100, 1000
Record = dict[str, Any]


@dataclass(frozen=True)
class Layout:
    """The columns of a table, the name of its sheet, and how its CSV is written."""

    columns: tuple[str, ...]
    sheet: str
    separator: str = SEPARATOR
    mark: str = BYTE_ORDER_MARK


LAYOUTS = {
    FOR_1C: Layout(
        ("Дата", "Табельный номер", "ФИО", "Подразделение", "Приход", "Уход", "Часы", "Примечание"), "Проходы"
    ),
    FRAPPE: Layout(("employee", "time", "device_id", "log_type"), "Employee Checkin", separator=",", mark=""),
    RAW: Layout(cursor.FIELDS, "Events"),
}


def records(kind: str, span: Span, wanted: PeopleFilter) -> Iterator[list[Record]]:
    """Yield the rows in parts, by the names of their columns; between parts no transaction is open.

    :param kind: one of KINDS.
    :param wanted: whose; the events as they are are those of all, of nobody, and of doors, too.
    """
    if kind == RAW:
        yield from _events(span)
        return
    chosen = list(days.people(wanted, span))
    for first in range(0, len(chosen), PEOPLE):
        people = chosen[first : first + PEOPLE]
        part = list((_days if kind == FOR_1C else _checkins)(people, span))
        end_read()
        yield part


def tables(kind: str, parts: Iterator[list[Record]]) -> Iterator[Rows]:
    """Yield the rows of a table in parts, the header row first."""
    columns = LAYOUTS[kind].columns
    yield [list(columns)]
    for part in parts:
        yield [["" if record[name] is None else str(record[name]) for name in columns] for record in part]


def _days(people: Sequence[Any], span: Span) -> Iterator[Record]:
    found = days.of_people([person.id for person in people], span)
    for person in people:
        for day, times in found.get(person.id, {}).items():
            whose = (f"{day:%d.%m.%Y}", person.number, person.name, person.department)
            clocks = _clock(times.arrival), _clock(times.departure)
            # With a decimal comma, which a Russian spreadsheet does not take for a date.
            hours = "" if times.minutes is None else f"{times.minutes / 60:.2f}".replace(".", ",")
            cells = (*whose, *clocks, hours, _remark(times))
            yield dict(zip(LAYOUTS[FOR_1C].columns, cells, strict=True))


def _clock(moment: datetime | None) -> str:
    return f"{local(moment):%H:%M}" if moment else ""


def _remark(day: Day) -> str:
    """Return why hours are missing, or may be too few."""
    remarks = (
        f"нет выхода после входа в {_clock(day.entered_at)}" if day.entered_at else "",
        f"выход в {_clock(day.left_at)} без входа" if day.left_at else "",
    )
    return "; ".join(remark for remark in remarks if remark)


def _checkins(people: Sequence[Any], span: Span) -> Iterator[Record]:
    statement = (
        select(Event.employee_id, Event.occurred_at, Terminal.name, days.DIRECTION, Event.device_serial)
        .outerjoin(Terminal, Terminal.id == Event.terminal_id)
        .where(Event.employee_id.in_([person.id for person in people]), Event.kind + "" == PASSED)
        .where(Event.occurred_at >= span.begins, Event.occurred_at < span.ends)
        .order_by(Event.employee_id, Event.occurred_at, Event.id)
    )
    numbers = {person.id: person.number for person in people}
    seen: set[tuple[str, str]] = set()
    for employee_id, at, terminal, direction, serial in rows_of(statement):
        number, moment = numbers[employee_id or 0], local(at).strftime(TABLE_TIME)
        if (number, moment) not in seen:
            seen.add((number, moment))
            log_type = LOG_TYPES.get(direction, "")
            yield {"employee": number, "time": moment, "device_id": terminal or serial, "log_type": log_type}


def _events(span: Span) -> Iterator[list[Record]]:
    statement = select(*cursor.COLUMNS, Employee.name.label("employee_name")).outerjoin(Employee)
    statement = statement.where(Event.occurred_at < span.ends).order_by(Event.occurred_at, Event.id).limit(EVENTS)
    place = tuple_(Event.occurred_at, Event.id)
    last: tuple[datetime, int] | None = (span.begins, 0)
    while last:
        here = tuple_(literal(last[0], UTCDateTime()), literal(last[1]))
        rows = db.session.execute(statement.where(place > here)).all()
        end_read()
        yield [cursor.fields_of(row) for row in rows]
        last = (rows[-1].occurred_at, rows[-1].id) if len(rows) == EVENTS else None
