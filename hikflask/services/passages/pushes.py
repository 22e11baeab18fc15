"""What terminals tell by themselves. It only rings the bell: the log that is read afterwards is the truth.

Nothing of what comes along is stored. Whoever reads one secret on the wire could tell anything with it: somebody who
passed, an alarm, or a number that keeps out the real record of the log.
"""

import logging
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import or_, select, update

from hikflask.extensions import db
from hikflask.isapi.event_push import MAX_BYTES, read_push
from hikflask.models import EventLog, Terminal
from hikflask.models.columns import database_now
from hikflask.services.core.db import changed_rows, transaction
from hikflask.services.passages import intake, push_slot
from hikflask.services.terminals import allowed_addresses

__all__ = ["MAX_BYTES", "Sender", "receive", "sender_of", "told_at"]
log = logging.getLogger(__name__)
# That a terminal tells is written this often at most.
NOTED_SECONDS = 60.0
# The end of a serial number, behind the model and the day of production, as some terminals tell it.
SHORT_LENGTH = 9


class Sender(NamedTuple):
    """A terminal that told something."""

    terminal_id: int
    serial: str


def sender_of(secret: str, address: str) -> Sender | None:
    """Return the terminal in use whose secret this is, or None.

    It is found by the hash of the secret, so how long that takes tells nothing about a secret.

    :param address: where it comes from, which must be one of the networks of terminals, if there are such.
    """
    if not push_slot.is_used() or not allowed_addresses.allowed().allow(address):
        return None
    statement = (
        select(Terminal.id, Terminal.serial)
        .join(EventLog, EventLog.terminal_id == Terminal.id)
        .where(EventLog.push_secret_hash == push_slot.hash_of(secret))
        .where(Terminal.is_active)
    )
    row = db.session.execute(statement).first()
    return Sender(*row) if row else None


def receive(sender: Sender, body: bytes | None) -> bool:
    """Read a terminal's log soon, as it told something; return False when another device says it.

    What cannot be read is believed to be something all the same: a terminal that is refused sends it for ever.

    :param body: None for one that is too long.
    """
    push = read_push(body or b"")
    terminal_id, serial = sender.terminal_id, sender.serial.upper()
    if push.serial and serial and push.serial.upper() not in {serial, serial[-SHORT_LENGTH:]}:
        log.warning("terminal %s: another device uses its secret", terminal_id)
        return False
    if not push.records and not push.is_heartbeat:
        log.info("terminal %s told something that has no record", terminal_id)
    is_old = or_(EventLog.pushed_at.is_(None), EventLog.pushed_at < database_now(-NOTED_SECONDS))
    with transaction():
        noted = update(EventLog).where(EventLog.terminal_id == terminal_id, is_old)
        changed_rows(noted.values(pushed_at=database_now()))
        if not push.is_heartbeat:
            intake.wake(terminal_id)
    return True


def told_at(terminal_id: int) -> datetime | None:
    """Return when a terminal told something last, which may be a sign of life; None for never."""
    return db.session.execute(select(EventLog.pushed_at).where(EventLog.terminal_id == terminal_id)).scalar()
