"""What terminals tell by themselves. It only rings the bell: the log that is read afterwards is the truth.

Records that come along are stored before the terminal gets its answer, and never count as what the log was read for.
Whether they are new is decided by their time and number: terminals send what they kept before what has just happened.
"""

import logging
from datetime import UTC, datetime
from math import ceil
from typing import NamedTuple

from sqlalchemy import or_, select, update

from hikflask.extensions import db
from hikflask.isapi.event_push import MAX_BYTES, Push, read_push
from hikflask.isapi.events import EventRecord
from hikflask.models import EventLog, Terminal
from hikflask.models.columns import database_now
from hikflask.services.core.db import changed_rows, transaction
from hikflask.services.passages import intake, push_slot
from hikflask.services.passages.interpretation import is_pushed
from hikflask.services.passages.reading import STEADY_SECONDS
from hikflask.services.passages.store import serial_of, store
from hikflask.services.terminals import allowed_addresses, clock

__all__ = ["MAX_BYTES", "Sender", "receive", "sender_of", "told_at"]
log = logging.getLogger(__name__)
# That a terminal tells is written this often at most.
NOTED_SECONDS = 60.0


class Sender(NamedTuple):
    """A terminal that told something, and its log."""

    terminal: Terminal
    log: EventLog


def sender_of(secret: str, address: str) -> Sender | None:
    """Return the terminal in use whose secret this is, or None.

    It is found by the hash of the secret, so how long that takes tells nothing about a secret.

    :param address: where it comes from, which must be one of the networks of terminals, if there are such.
    """
    if not push_slot.is_used() or not allowed_addresses.allowed().allow(address):
        return None
    statement = (
        select(Terminal, EventLog)
        .join(EventLog, EventLog.terminal_id == Terminal.id)
        .where(EventLog.push_secret_hash == push_slot.hash_of(secret))
        .where(Terminal.is_active, Terminal.retired_at.is_(None))
        .execution_options(populate_existing=True)
    )
    row = db.session.execute(statement).first()
    return Sender(*row) if row else None


def receive(sender: Sender, body: bytes | None) -> bool:
    """Store what a terminal told, and read its log soon; return False when another device says it.

    What cannot be read is believed to be something all the same: a terminal that is refused sends it for ever.

    :param body: None for one that is too long.
    """
    push = read_push(body or b"", clock.offset_there(sender.terminal))
    terminal_id = sender.terminal.id
    if push.serial and push.serial.upper() not in (sender.terminal.serial.upper() or push.serial.upper()):
        log.warning("terminal %s: another device uses its secret", terminal_id)
        return False
    if not push.records and not push.is_heartbeat:
        log.info("terminal %s told something that has no record", terminal_id)
    _store(sender, push)
    # On its own: whoever reads the log writes its row before the events.
    with transaction():
        _note(terminal_id)
        if not push.is_heartbeat:
            intake.ring(terminal_id)
    return True


def _store(sender: Sender, push: Push) -> None:
    device_serial = sender.log.device_serial
    if not device_serial or device_serial != sender.terminal.serial:
        return  # Not known yet whose log it is: that is read first.
    offset = sender.log.clock_offset if sender.log.clock_offset is not None else sender.terminal.clock_offset or 0
    for record in push.records:
        if record.serial_no is None or record.at is None or not is_pushed(record.raw):
            continue  # The log tells it all, and it would be stored twice, or in the log's place.
        ahead = _ahead(record.at, offset)
        store(sender.terminal.id, device_serial, [record], ahead, is_new=_is_new(record, sender.log))


def _ahead(at: datetime, offset: int) -> int:
    """Return by how many seconds the clock was ahead. It is more after a jump, since what is told has happened."""
    of_now = ceil((at - datetime.now(UTC)).total_seconds())
    return of_now if of_now - offset > STEADY_SECONDS else offset


def _is_new(record: EventRecord, log: EventLog) -> bool:
    """True when a record was made after what was read last. Before anything was read, all are old."""
    if log.anchor_serial is None or log.anchor_at is None:
        return False
    return serial_of(record) > log.anchor_serial or (record.at is not None and record.at > log.anchor_at)


def told_at(terminal_id: int) -> datetime | None:
    """Return when a terminal told something last, which may be a sign of life; None for never."""
    return db.session.execute(select(EventLog.pushed_at).where(EventLog.terminal_id == terminal_id)).scalar()


def _note(terminal_id: int) -> None:
    """Write that a terminal tells, within the caller's transaction."""
    is_old = or_(EventLog.pushed_at.is_(None), EventLog.pushed_at < database_now(-NOTED_SECONDS))
    noted = update(EventLog).where(EventLog.terminal_id == terminal_id, is_old)
    changed_rows(noted.values(pushed_at=database_now()))
