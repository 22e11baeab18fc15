"""When the logs of terminals are read: each every PASSAGES_INTERVAL seconds, sooner while somebody looks.

It is work for many. It never waits for a terminal, and anybody else takes the terminal from it at any moment, since it
only reads; what it has read by then stays. Only a log that was not read for long is read on for a moment all the same.
"""

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import current_app
from sqlalchemy import and_, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from hikflask.extensions import db
from hikflask.isapi.errors import NoAnswer, TerminalError, Unreachable
from hikflask.models import EventLog, Terminal
from hikflask.models.columns import database_now, one_moment
from hikflask.services.core.db import changed_rows, claim_rows, transaction
from hikflask.services.core.errors import LeaseLost, ServiceError, TerminalInUse
from hikflask.services.passages import pictures, switch
from hikflask.services.passages.reading import Reading
from hikflask.services.terminals import connection, leases

log = logging.getLogger(__name__)
# While somebody looks at the list of passages; the sweep comes as often.
LIVE_SECONDS = 4.0
# The next attempt at a terminal that somebody else had.
IN_USE_SECONDS = 5.0
# A log that was not read for so many times the interval is not given up to a job for many at once.
LATE_INTERVALS = 10
LATE = "passages_late"
_IS_READ = (Terminal.is_active, Terminal.face_mode.is_not(None))


def read_log(terminal_id: int, holder: str) -> bool:
    """Read on in the log of a terminal, in one conversation; return True when more is left to be read at once.

    A terminal that does not answer, or not as it should, is asked later and later. This raises nothing of that.
    """
    has_log = select(EventLog.terminal_id).where(EventLog.terminal_id == terminal_id)
    if not switch.is_on() or db.session.execute(has_log).first() is None:
        return False
    purpose = LATE if _is_late(terminal_id) else leases.PASSAGES
    failure: TerminalError | ServiceError | None = None
    has_more = False
    try:
        with connection.converse(terminal_id, holder, purpose, wait=0.0, yields=True) as conversation:
            # Only now: until this lease began, another worker may have read on.
            reading = Reading(conversation)
            try:
                has_more = reading.read()
                has_more = pictures.fetch(conversation) or has_more
            except NoAnswer as error:
                # A long log takes long. The terminal is not away for that: nobody else backs off.
                failure = error
    except (TerminalInUse, LeaseLost):
        _read_next(terminal_id, IN_USE_SECONDS)
        return False
    except (TerminalError, ServiceError) as error:
        failure = error
    if not switch.is_on():
        return False  # They were switched off meanwhile, which is no failure of the terminal.
    if failure is not None:
        log.info("terminal %s: its log was not read: %s", terminal_id, failure)
        _write_failure(terminal_id, failure.code)
        return False
    if reading.has_older and not has_more:
        _read_next(terminal_id, 0.0)
    return has_more


def claim_due() -> list[int]:
    """Claim the terminals whose logs are due, and return their ids. What is not read then is due again by its time."""
    if not switch.is_on():
        return []
    _add_missing()
    # It did not answer here, but somebody else since.
    is_back = and_(EventLog.error_code == Unreachable.own_code, Terminal.offline_since.is_(None))
    due = (
        select(EventLog.terminal_id)
        .join(Terminal)
        .where(*_IS_READ, leases.MAY_BE_ASKED, leases.FREE, leases.NOBODY_WAITS)
        .where(or_(EventLog.next_at <= one_moment(), is_back))
    )
    next_at = database_now(current_app.config["PASSAGES_INTERVAL"])
    return [row.terminal_id for row in claim_rows(due, {"next_at": next_at})]


@dataclass(frozen=True)
class Unread:
    """For how long the log of a terminal in use was not read, and why not, where its last reading failed."""

    terminal: Terminal
    seconds: float
    code: str


def unread() -> list[Unread]:
    """Return of each terminal in use, by name, for how long its log was not read; nothing while none is."""
    if not switch.is_on():
        return []
    since = func.coalesce(EventLog.read_at, Terminal.created_at)
    rows = select(Terminal, since, database_now(), func.coalesce(EventLog.error_code, "")).outerjoin(EventLog)
    in_use = rows.where(Terminal.is_active).order_by(Terminal.name)
    return [
        Unread(terminal, max(0.0, (now - read_at).total_seconds()), code)
        for terminal, read_at, now, code in db.session.execute(in_use)
    ]


def wake(terminal_id: int) -> None:
    """Let a terminal's log be read with the next sweep: something has happened there."""
    waits = select(EventLog.terminal_id).where(EventLog.terminal_id == terminal_id, EventLog.next_at > database_now())
    if db.session.execute(waits).first():
        _read_next(terminal_id, 0.0)


def watch() -> None:
    """Let all logs be read every few seconds for as long as this is called: somebody looks at what they record."""
    now = one_moment()
    due = (EventLog.read_at < one_moment(-LIVE_SECONDS), EventLog.next_at > now, EventLog.error_code == "")
    if db.session.execute(select(EventLog.terminal_id).where(*due).limit(1)).first() is None:
        return
    with transaction():
        changed_rows(update(EventLog).where(*due).values(next_at=now))


def _add_missing() -> None:
    """Give a row to the log of each terminal that has none yet."""
    missing = select(Terminal.id).where(*_IS_READ, ~exists().where(EventLog.terminal_id == Terminal.id))
    for terminal_id in db.session.execute(missing).scalars().all():
        # Another worker may be about to do so, too.
        with suppress(IntegrityError), transaction(alone=True):
            db.session.execute(insert(EventLog).values(terminal_id=terminal_id))


def _is_late(terminal_id: int) -> bool:
    late = -LATE_INTERVALS * current_app.config["PASSAGES_INTERVAL"]
    is_late = or_(EventLog.read_at.is_(None), EventLog.read_at < database_now(late))
    return bool(db.session.execute(select(is_late).where(EventLog.terminal_id == terminal_id)).scalar())


def _read_next(terminal_id: int, seconds: float) -> None:
    with transaction():
        row = update(EventLog).where(EventLog.terminal_id == terminal_id)
        changed_rows(row.values(next_at=database_now(seconds)))


def _write_failure(terminal_id: int, code: str) -> None:
    """Write why a log was not read. The next attempt comes after as long as it was not read by now, within limits."""
    config = current_app.config
    read_at = select(EventLog.read_at).where(EventLog.terminal_id == terminal_id)
    now = datetime.now(UTC)
    seconds = (now - (db.session.execute(read_at).scalar() or now)).total_seconds()
    seconds = max(config["RETRY_BASE"], config["PASSAGES_INTERVAL"], min(seconds, config["RETRY_MAX"]))
    with transaction():
        row = update(EventLog).where(EventLog.terminal_id == terminal_id)
        changed_rows(row.values(next_at=database_now(seconds), error_code=code))
