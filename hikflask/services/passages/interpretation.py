"""Reads what a terminal recorded into the columns of an event. The record is kept, so it can be read again."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from sqlalchemy import select

from hikflask.codes.events import type_of
from hikflask.extensions import db
from hikflask.isapi.events import EventRecord, event_record
from hikflask.models import Event
from hikflask.services.core.db import let_others_write, transaction, write_columns

# A record whose time is not readable. Its serial number still tells it from others.
NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
PORTION = 500


def moment_of(record: EventRecord) -> datetime:
    """Return the moment that a record's time stands for, as it is stored."""
    return record.at or NO_TIME


def columns_of(record: EventRecord, clock_offset: int) -> dict[str, Any]:
    """Return the columns that are read from a record, of a clock that was so many seconds ahead; never raises."""
    device_at = moment_of(record)
    return {
        "major": record.major,
        "minor": record.minor,
        "kind": type_of(record.major, record.minor).kind,
        "number": record.number,
        "name": record.name,
        "attendance": record.attendance,
        "is_duress": record.is_duress,
        "device_time": record.time,
        "device_at": device_at,
        "occurred_at": device_at - timedelta(seconds=clock_offset),
    }


def interpret_again() -> int:
    """Read all records again and return how many events changed. Employee, picture and clock of an event stay.

    This is for a program that understands more than the one that stored the events.
    """
    changed, last = 0, 0
    while ids := list(db.session.scalars(select(Event.id).where(Event.id > last).order_by(Event.id).limit(PORTION))):
        last = ids[-1]
        with transaction():
            locked = select(Event).where(Event.id.in_(ids)).order_by(Event.id).with_for_update()
            for event in db.session.scalars(locked):
                changes = _changes(event)
                if changes:
                    write_columns(event, **changes)
                    changed += 1
        let_others_write()
    return changed


def _changes(event: Event) -> dict[str, Any]:
    record = event_record(event.record, _zone_of(event), z_is_local=True)
    if record is None:
        return {}
    clock_offset = round((event.device_at - event.occurred_at) / timedelta(seconds=1))
    columns = columns_of(record, clock_offset)
    if record.at is None:
        # The offset of the terminal's clock was known when it was stored.
        del columns["device_at"], columns["occurred_at"]
    return {name: value for name, value in columns.items() if getattr(event, name) != value}


def _zone_of(event: Event) -> timezone | None:
    """Return the offset from UTC by which the time of an event was read."""
    try:
        local = datetime.fromisoformat(event.device_time).replace(tzinfo=UTC, microsecond=0)
        return timezone(local - event.device_at)
    except ValueError:
        return None
