"""What terminals recorded of a person: an erasure makes it anonymous, and it stays so when a log is read again.

A terminal keeps its log until it overwrites it, so it may send the person's records once more. The rows of those that
were read stay without number, name and picture: by their keys they are known, and not stored again. Records that come
for the first time are stored in the same way while the number of an erased person is known here, which is until its
certificate forgets it.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, SQLColumnExpression, Table, and_, bindparam, func, or_, select, union_all, update

from hikflask.extensions import db
from hikflask.models import Employee, Erasure, ErasureRemoval, Event, PersonKey, Terminal
from hikflask.text_rules import bare_number, folded

# An erasure that is not complete yet has no last moment: a terminal may still let the person in.
NO_END = datetime.max.replace(tzinfo=UTC)
_EVENTS = cast("Table", Event.__table__)
_NOBODYS = {"number": "", "name": "", "attendance": "", "is_duress": False}
_BLANK = (
    update(_EVENTS)
    .where(_EVENTS.c.id == bindparam("its_id"))
    .values(**_NOBODYS, employee_id=None, picture=None, record=bindparam("blank"))
)


# The numbers among these that anybody has or had here.
_OF_OURS = select(PersonKey.number).where(PersonKey.number.in_(bindparam("numbers", expanding=True)))


def blank_record(major: int, minor: int, time: str, serial_no: int) -> dict[str, Any]:
    """Return a record that says what happened and when, and not to whom: the same columns are read from it again."""
    return {"major": major, "minor": minor, "time": time, "serialNo": serial_no}


def is_among(column: SQLColumnExpression[str], numbers: Collection[str]) -> ColumnElement[bool]:
    """Return the condition that a terminal's number is one of these, in whatever form, and not another employee's."""
    is_form = func.upper(func.ltrim(column, "0")).in_({bare_number(number) for number in numbers} - {""})
    return or_(column.in_(numbers), and_(is_form, column.not_in(select(Employee.number))))


def forget(numbers: Collection[str], employee_id: int | None, names: Collection[str] = ()) -> tuple[int, list[str]]:
    """Make the records of a person anonymous within the caller's transaction; return how many, and their pictures.

    :param numbers: those that the person has or had, and that nobody else has now.
    :param names: the names of the person, by which records without a number of ours are found.
    """
    of_person = or_(_of_person(numbers, employee_id), _is_named(names))
    columns = (Event.id, Event.major, Event.minor, Event.device_time, Event.serial_no, Event.picture)
    found = select(*columns).where(of_person).order_by(Event.id).with_for_update()
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


def leave_out_erased(rows: Sequence[dict[str, Any]]) -> None:
    """Take number and name out of those rows to be stored that are about erased people."""
    numbers = erased_until({row["number"] for row in rows} - {""})
    names = _names_until() if any(row["name"] for row in rows) else {}
    known = set(db.session.scalars(_OF_OURS, {"numbers": [row["number"] for row in rows]})) if names else set()
    for row in rows:
        until = numbers.get(row["number"])
        if until is None and row["number"] not in known:
            until = names.get(_normal(row["name"]))
        if until and row["occurred_at"] < until:
            blank = blank_record(row["major"], row["minor"], row["device_time"], row["serial_no"])
            row |= {**_NOBODYS, "record": blank}


def erased_until(numbers: Collection[str]) -> dict[str, datetime]:
    """Return the numbers that belonged to erased people, each with the moment until which its records are theirs.

    They are stored without number and name. A number that somebody else has got since is that person's from then on.
    """
    forms = {bare_number(number) for number in numbers}
    own = select(Erasure.number, Erasure.requested_at, Erasure.completed_at)
    removed = select(ErasureRemoval.number, Erasure.requested_at, Erasure.completed_at)
    removed = removed.join(Erasure, Erasure.id == ErasureRemoval.erasure_id)
    either = union_all(own.where(Erasure.number != ""), removed.where(ErasureRemoval.number != ""))
    erased = [row for row in db.session.execute(either) if bare_number(row.number) in forms]
    if not erased:
        return {}
    either_number = {*numbers, *(row.number for row in erased)}
    owners = select(Employee.number, Employee.created_at).where(Employee.number.in_(either_number))
    since = {number: created_at for number, created_at in db.session.execute(owners)}
    until: dict[str, datetime] = {}
    for row in erased:
        for number in numbers:
            # Of two who have a number in two forms, each keeps what is in their own.
            if number == row.number or (bare_number(number) == bare_number(row.number) and number not in since):
                owner = since.get(row.number)
                end = max(row.requested_at, owner) if owner else row.completed_at or NO_END
                until[number] = max(end, until.get(number, end))
    return until


def _names_until() -> dict[str, datetime]:
    """Return the names of erased people, each with the moment until which records with it are theirs."""
    named = select(Erasure.name, Erasure.other_names, Erasure.completed_at).where(Erasure.name != "")
    until: dict[str, datetime] = {}
    for own, others, completed_at in db.session.execute(named):
        end = completed_at or NO_END
        for name in map(_normal, (own, *others)):
            until[name] = max(end, until.get(name, end))
    return until


def _normal(name: str) -> str:
    return folded(" ".join(name.split()))


def _is_named(names: Collection[str]) -> ColumnElement[bool]:
    """Return the condition that a record has one of the names and no number that anybody has or had here."""
    unnumbered = and_(
        Event.employee_id.is_(None),
        Event.name != "",
        Event.number.not_in(select(PersonKey.number).where(PersonKey.number != "")),
    )
    wanted = {_normal(name) for name in names} - {""}
    # Compared in Python: SQLite cannot fold Cyrillic letters.
    there = db.session.scalars(select(Event.name).where(unnumbered).distinct()) if wanted else ()
    return and_(unnumbered, Event.name.in_([name for name in there if _normal(name) in wanted]))


def _of_person(numbers: Collection[str], employee_id: int | None) -> ColumnElement[bool]:
    nobodys = and_(is_among(Event.number, numbers), Event.employee_id.is_(None))
    return nobodys if employee_id is None else or_(Event.employee_id == employee_id, nobodys)
