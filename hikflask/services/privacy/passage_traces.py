"""What terminals recorded of a person: an erasure makes it anonymous, and it stays so when a log is read again.

A terminal keeps its log until it overwrites it, so it may send the person's records once more. The rows of those that
were read stay without number, name and picture: by their keys they are known, and not stored again. Records that come
for the first time are stored in the same way while the number of an erased person is known here, which is until its
certificate forgets it.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, and_, bindparam, or_, select, union_all, update

from hikflask.extensions import db
from hikflask.models import Employee, Erasure, ErasureRemoval, Event, Terminal
from hikflask.text_rules import folded

# An erasure that is not complete yet has no last moment: a terminal may still let the person in.
NO_END = datetime.max.replace(tzinfo=UTC)
_EVENTS = cast("Table", Event.__table__)
_BLANK = (
    update(_EVENTS)
    .where(_EVENTS.c.id == bindparam("its_id"))
    .values(number="", name="", employee_id=None, picture=None, record=bindparam("blank"))
)


def blank_record(major: int, minor: int, time: str, serial_no: int) -> dict[str, Any]:
    """Return a record that says what happened and when, and not to whom: the same columns are read from it again."""
    return {"major": major, "minor": minor, "time": time, "serialNo": serial_no}


def forget(numbers: Collection[str], employee_id: int | None) -> tuple[int, list[str]]:
    """Make the records of a person anonymous within the caller's transaction; return how many, and their pictures.

    :param numbers: those that the person has or had, and that nobody else has now.
    """
    columns = (Event.id, Event.major, Event.minor, Event.device_time, Event.serial_no, Event.picture)
    found = select(*columns).where(_of_person(numbers, employee_id)).order_by(Event.id).with_for_update()
    rows = db.session.execute(found).all()
    blanks = [
        {"its_id": row.id, "blank": blank_record(row.major, row.minor, row.device_time, row.serial_no)} for row in rows
    ]
    if blanks:
        db.session.execute(_BLANK, blanks)
    return len(rows), [row.picture for row in rows if row.picture]


def has_any(number: str) -> bool:
    """Return True when a record with this number is nobody's."""
    return db.session.execute(select(Event.id).where(_of_person([number], None)).limit(1)).first() is not None


def of_employee(employee: Employee, numbers: Collection[str]) -> list[tuple[str, Event]]:
    """Return the records of an employee in their order, each with the name of its terminal.

    One with an employee's number of somebody else who had it, by its time or its name, is not among them.
    """
    joined = select(Terminal.name, Event).outerjoin(Terminal, Terminal.id == Event.terminal_id)
    rows = db.session.execute(joined.where(_of_person(numbers, employee.id)).order_by(Event.occurred_at, Event.id))
    return [
        (terminal or "", event)
        for terminal, event in rows
        if event.employee_id
        or folded(event.name) == folded(employee.name)
        or (not event.name and event.occurred_at >= employee.created_at)
    ]


def erased_until(numbers: Collection[str]) -> dict[str, datetime]:
    """Return the numbers that belonged to erased people, each with the moment until which its records are theirs.

    They are stored without number and name. A number that somebody else has got since is that person's from then on.
    """
    own = select(Erasure.number, Erasure.requested_at, Erasure.completed_at).where(Erasure.number.in_(numbers))
    removed = select(ErasureRemoval.number, Erasure.requested_at, Erasure.completed_at)
    removed = removed.join(Erasure, Erasure.id == ErasureRemoval.erasure_id).where(ErasureRemoval.number.in_(numbers))
    rows = db.session.execute(union_all(own, removed)).all()
    if not rows:
        return {}
    owners = select(Employee.number, Employee.created_at).where(Employee.number.in_(numbers))
    since = {number: created_at for number, created_at in db.session.execute(owners)}
    until: dict[str, datetime] = {}
    for number, requested_at, completed_at in rows:
        end = max(requested_at, since[number]) if number in since else completed_at or NO_END
        until[number] = max(end, until.get(number, end))
    return until


def _of_person(numbers: Collection[str], employee_id: int | None) -> ColumnElement[bool]:
    nobodys = and_(Event.number.in_(numbers), Event.employee_id.is_(None))
    return nobodys if employee_id is None else or_(Event.employee_id == employee_id, nobodys)
