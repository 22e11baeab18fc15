"""Stores what terminals recorded: each record once, what is read of it, with the employee whom it is about.

This is the only code that adds events. Their ids are committed in their order, so whoever has read one has missed none
before it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import BindParameter, Table, and_, bindparam, exists, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from hikflask.extensions import db
from hikflask.isapi.events import EventRecord
from hikflask.models import Card, CardThere, Employee, Enrolment, Event, PersonKey, Terminal
from hikflask.models.enrolment import REMOVED
from hikflask.models.event import PASSED
from hikflask.services.core.db import transaction, write_first
from hikflask.services.core.similar_names import are_similar
from hikflask.services.core.terminal_name import name_for
from hikflask.services.passages import journal, webhook_outbox
from hikflask.services.passages.interpretation import columns_of
from hikflask.services.passages.retention import FIRST_PLAUSIBLE, kept_since
from hikflask.services.privacy import passage_traces
from hikflask.services.state import enrolment as state
from hikflask.text_rules import folded

# The key of the lock in PostgreSQL under which events are added.
KEY = 14
# A local time to the second, without its offset.
LOCAL_TIME_LENGTH = 19
# A passage so soon after a removal may be from before it: terminals show whole seconds, of a clock that is corrected.
CLOCK_MARGIN = timedelta(seconds=60)
ROWS = cast("Table", Event.__table__)
_NUMBERS: BindParameter[Any] = bindparam("numbers", expanding=True)
# Made once, as each page is stored by them: to make a statement costs more than to run it.
_INSERTS = {
    "postgresql": postgresql.insert(ROWS).on_conflict_do_nothing().returning(ROWS.c.id),
    "sqlite": sqlite.insert(ROWS).on_conflict_do_nothing().returning(ROWS.c.id),
}
KNOWN = select(ROWS.c.serial_no, ROWS.c.device_at, ROWS.c.device_time).where(
    ROWS.c.device_serial == bindparam("serial"), ROWS.c.serial_no.in_(_NUMBERS)
)
HELD = select(Terminal.id).where(Terminal.id == bindparam("terminal_id")).with_for_update(read=True, key_share=True)
IN_ORDER = select(func.pg_advisory_xact_lock(KEY))
OTHERS = aliased(PersonKey)
# A number that another employee had before, or whose owner had another one before. A key without an employee is of a
# number that was typed before anybody had it, as for a capture.
_IS_SHARED = exists().where(
    or_(
        and_(OTHERS.number == Employee.number, OTHERS.employee_id != Employee.id),
        and_(OTHERS.employee_id == Employee.id, OTHERS.number != Employee.number),
    )
)
# The owners stay until the transaction ends: an erasure or a deletion of one of them waits, or was waited for.
OWNERS = (
    select(
        Employee.id,
        Employee.number,
        Employee.name,
        Employee.terminal_name,
        Employee.created_at,
        Enrolment.written_name,
        Enrolment.sent_name,
        Enrolment.confirmed_at,
        _IS_SHARED.label("is_shared"),
    )
    .outerjoin(
        Enrolment,
        and_(
            Enrolment.terminal_id == bindparam("terminal_id"),
            Enrolment.employee_id == Employee.id,
            Enrolment.number == Employee.number,
        ),
    )
    .where(Employee.number.in_(_NUMBERS))
    .order_by(Employee.id)
    .with_for_update(read=True, key_share=True, of=Employee)
)


def store(
    terminal_id: int, device_serial: str, records: Iterable[EventRecord], clock_offset: int, *, is_new: bool
) -> list[int]:
    """Store records of a terminal's log, those that are not here yet and are kept still; return their ids.
    :param clock_offset: by how many seconds the device's clock was ahead when it recorded them.
    :param is_new: they were recorded since the log was read last, so others are told of them.
    """
    since, rows = kept_since(), []
    for record in records:
        row = columns_of(record, clock_offset)
        row |= {"serial_no": serial_of(record), "record": record.raw, "picture": None, "employee_id": None}
        row["card"] = "" if row["number"] else record.card_number
        if row["occurred_at"] >= since or row["occurred_at"] < FIRST_PLAUSIBLE:
            rows.append(row)
    with transaction():
        write_first()
        unknown = _unknown(device_serial, rows)
        _find_people(terminal_id, unknown)
        if db.session.execute(HELD, {"terminal_id": terminal_id}).first() is None:
            return []  # Somebody deleted the terminal meanwhile.
        if not unknown:
            return []
        _doubt_removals(terminal_id, unknown)
        ids = _insert([row | {"terminal_id": terminal_id, "device_serial": device_serial} for row in unknown])
        if ids and is_new:
            webhook_outbox.tell(ids)
            journal.note(ids)
        return ids


def serial_of(record: EventRecord) -> int:
    """Return the serial number of a record; of one without it a number below 0, which its content makes."""
    if record.serial_no is not None:
        return record.serial_no
    content = (record.time, record.major, record.minor, record.number, record.card_number, record.door_no)
    return -1 - int.from_bytes(hashlib.sha256(repr(content).encode()).digest()[:7])


def known_keys(device_serial: str, serial_numbers: Sequence[int]) -> set[tuple[int, datetime]]:
    """Return the keys of those records of a device with these serial numbers that are here: number and moment."""
    keys = {"serial": device_serial, "numbers": serial_numbers}
    return {(row.serial_no, row.device_at) for row in db.session.execute(KNOWN, keys)} if serial_numbers else set()


def _unknown(device_serial: str, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows that are not here yet, by their serial numbers.

    Firmware that writes the time anew after its zone was set writes another moment, but the same local time.
    """
    keys = {"serial": device_serial, "numbers": [row["serial_no"] for row in rows]}
    known: set[tuple[int, datetime | str]] = set()
    for serial_no, device_at, device_time in db.session.execute(KNOWN, keys):
        known |= {(serial_no, device_at), (serial_no, device_time[:LOCAL_TIME_LENGTH])}
    unknown = []
    for row in sorted(rows, key=lambda row: (row["serial_no"], row["device_at"])):
        is_at = {(row["serial_no"], row["device_at"]), (row["serial_no"], row["device_time"][:LOCAL_TIME_LENGTH])}
        if not is_at & known:
            unknown.append(row)
            known |= is_at
    return unknown


def _find_people(terminal_id: int, rows: Sequence[dict[str, Any]]) -> None:
    """Write to the rows whom they are about, and leave out who was erased.

    Some firmware tells of a card that passed, and not whose it is. Cards are not stored with events.
    """
    of_cards = _owners_of_cards(terminal_id, {row["card"] for row in rows} - {""})
    numbers = sorted({*(row["number"] for row in rows), *(number for number, _ in of_cards.values())} - {""})
    found = db.session.execute(OWNERS, {"terminal_id": terminal_id, "numbers": numbers}) if numbers else ()
    owners = {owner.number: owner for owner in found}
    passage_traces.leave_out_erased(rows)
    for row in rows:
        number, since = of_cards.get(row.pop("card"), (row["number"], None))
        owner = owners.get(number)
        if owner and (row["occurred_at"] >= since if since else _is_about(row, owner)):
            row["employee_id"] = owner.id


def _owners_of_cards(terminal_id: int, cards: set[str]) -> dict[str, tuple[str, datetime]]:
    """Return the employee number and the time of giving of those of these cards that we gave at a terminal."""
    if not cards:
        return {}
    given = select(Card.number, Employee.number, Card.created_at).join(Card.employee)
    there = and_(CardThere.number == Card.number, CardThere.owner == Employee.number)
    at_terminal = given.join(CardThere, there).where(CardThere.terminal_id == terminal_id, Card.number.in_(cards))
    return {card: (number, given_at) for card, number, given_at in db.session.execute(at_terminal)}


def _is_about(row: dict[str, Any], owner: Any) -> bool:
    """Return True when a record is about the current owner of its number, who may not be the first one.

    The name in it tells. Without a name that fits, it must be no older than the employee's row; and where the number
    has changed hands, it must have no other name, and the terminal must have confirmed this employee before.
    """
    names = (owner.name, owner.terminal_name, owner.written_name, owner.sent_name)
    if row["name"] and folded(row["name"]) in {folded(name) for name in names if name}:
        return True
    # Terminals show whole seconds.
    if row["occurred_at"] < owner.created_at.replace(microsecond=0):
        return False
    if not owner.is_shared:
        return True
    return not row["name"] and owner.confirmed_at is not None and row["occurred_at"] >= owner.confirmed_at


def _doubt_removals(terminal_id: int, rows: Sequence[dict[str, Any]]) -> None:
    """Remove once more whom the terminal let in after it had confirmed that they are gone, by a name of theirs."""
    let_in = {row["number"]: row for row in rows if row["kind"] == PASSED and row["number"]}
    removed = (Enrolment.terminal_id == terminal_id, Enrolment.number.in_(let_in), state.is_in(REMOVED))
    state.lock_many(*removed)
    for enrolment in db.session.execute(select(Enrolment).where(*removed)).scalars():
        row, employee = let_in[enrolment.number], enrolment.employee
        if not employee or not enrolment.confirmed_at or row["occurred_at"] <= enrolment.confirmed_at + CLOCK_MARGIN:
            continue
        names = (employee.name, employee.terminal_name)
        if not row["name"] or any(are_similar(row["name"], name) for name in names):
            name = row["name"] or name_for(enrolment.terminal, *names)
            state.apply(state.REMOVAL_DOUBTED, Enrolment.id == enrolment.id, written_name=name[:128])


def _insert(rows: Sequence[dict[str, Any]]) -> list[int]:
    """Insert the rows that nobody has inserted meanwhile, and return their ids. It is the last lock that is taken."""
    dialect = db.engine.dialect.name
    if dialect == "postgresql":
        db.session.execute(IN_ORDER)
    return sorted(db.session.execute(_INSERTS[dialect], rows).scalars())
