"""The clock and the zone of a terminal beside ours: read with each check, and set by one click.

Terminals let people in by their own local time, so a wrong clock or zone opens and closes doors at the wrong hour.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import update

from hikflask.extensions import db
from hikflask.isapi import system_time
from hikflask.isapi.errors import RestartRequired
from hikflask.isapi.system_time import DeviceTime
from hikflask.models import Terminal
from hikflask.models.columns import database_now
from hikflask.services import audit
from hikflask.services.core.dates import local
from hikflask.services.core.db import changed_rows
from hikflask.services.core.errors import ServiceError
from hikflask.services.terminals import connection
from hikflask.services.terminals.connection import Conversation

SET = "clock"
# A person waits for the page.
MAX_SECONDS = 12.0
# So many seconds ahead or behind are worth a warning.
WRONG_SECONDS = 60
UNKNOWN: dict[str, Any] = {
    "clock_offset": None,
    "zone": "",
    "clock_doubt": "",
    "clock_mode": "",
    "clock_checked_at": None,
}
# What contradicts itself: the local time is marked with another offset than the zone has; the time is told in UTC. Any
# other text is the zone as the terminal writes it, in which its time is not.
MARKED, TOLD_IN_UTC = "marked", "utc"
# A zone that is written without its rules has another offset in summer.
SUMMER = timedelta(hours=1)
# An INTEGER of PostgreSQL has no more.
MAX_OFFSET = 2**31 - 1


def read(conversation: Conversation) -> dict[str, Any]:
    """Ask the terminal for its time, and return it as the columns of its row.

    :raises TerminalError: when it does not tell.
    """
    before = datetime.now(UTC)
    shown = system_time.read(conversation)
    ours = before + (datetime.now(UTC) - before) / 2
    offset, zone, doubt = _zone_shown(shown, ours)
    seconds = round((shown.local - offset - ours.replace(tzinfo=None)).total_seconds())
    return {
        "clock_offset": max(-MAX_OFFSET, min(seconds, MAX_OFFSET)),
        "zone": zone[:64],
        "clock_doubt": doubt[:64],
        "clock_mode": shown.mode[:16],
        "clock_checked_at": database_now(),
    }


def _zone_shown(shown: DeviceTime, ours: datetime) -> tuple[timedelta, str, str]:
    """Return the offset from UTC of the time that a terminal shows, its zone, and what contradicts itself in these.

    Where the mark of a time is not the offset of its zone, the one that agrees with our clock is right. Else local time
    that is marked as UTC is of the zone, and any other mark counts.
    """
    mark, by_zone = shown.mark, shown.by_zone
    if mark is None or by_zone is None or mark == by_zone:
        return shown.offset if shown.offset is not None else _offset(ours), shown.zone, ""

    def agrees(offset: timedelta) -> bool:
        return abs(shown.local - offset - ours.replace(tzinfo=None)) < timedelta(seconds=WRONG_SECONDS)

    if not mark and agrees(mark):
        return mark, shown.zone, TOLD_IN_UTC
    if not mark or agrees(by_zone):
        return by_zone, shown.zone, MARKED
    is_summer = timedelta() < mark - by_zone <= SUMMER and not system_time.has_summer_time(shown.zone)
    return mark, system_time.zone_of(mark), "" if is_summer else shown.zone


def set_clock(terminal_id: int, holder: str) -> Terminal:
    """Set the terminal's clock and zone to ours, and read them again.

    A zone that has our offset now stays as it is, with its summer time. Any other one is sent as the fixed offset of
    now: where there is summer time, it is to be set again when that changes.

    :raises RestartRequired: when they are set after a restart of the terminal.
    :raises clock_not_set: when the terminal said OK, but shows another time or zone.
    :raises TerminalError: :raises ServiceError: as a check does.
    """
    with connection.converse(terminal_id, holder, SET, total=MAX_SECONDS) as conversation:
        restart: RestartRequired | None = None
        shown = system_time.read(conversation)
        ours = local(datetime.now(UTC))
        is_ours = system_time.offset_at(ours.replace(tzinfo=None), shown.zone) == ours.utcoffset()
        try:
            system_time.set_to(conversation, ours, zone=shown.zone if is_ours else "", in_json=shown.in_json)
        except RestartRequired as error:
            restart = error
        values = read(conversation)
        before = _audit_fields(conversation.terminal)
        with conversation.lease.write():
            changed_rows(update(Terminal).where(Terminal.id == terminal_id).values(**values))
            terminal = db.session.get_one(Terminal, terminal_id, populate_existing=True)
            audit.record("terminal.clock_set", terminal=terminal.name, before=before, after=_audit_fields(terminal))
        if restart:
            raise restart
        if is_wrong(terminal):
            raise ServiceError("clock_not_set")
    return connection.get_terminal(terminal_id)


def is_wrong(terminal: Terminal) -> bool:
    """True when the clock was a minute or more ahead or behind, or the zone is not ours or not that of its time."""
    return is_off(terminal) or is_elsewhere(terminal) or contradicting_zone(terminal) != ""


def contradicting_zone(terminal: Terminal) -> str:
    """Return the zone as the terminal writes it, where its time is of another one; else an empty text."""
    return "" if terminal.clock_doubt in {MARKED, TOLD_IN_UTC} else terminal.clock_doubt or ""


def is_off(terminal: Terminal) -> bool:
    """True when the clock was a minute or more ahead or behind."""
    return terminal.clock_offset is not None and abs(terminal.clock_offset) >= WRONG_SECONDS


def is_elsewhere(terminal: Terminal) -> bool:
    """True when the terminal has another offset from UTC than this installation had at that time."""
    if terminal.clock_checked_at is None:
        return False
    return offset_there(terminal) not in {None, offset_here(terminal)}


def time_there(terminal: Terminal) -> datetime | None:
    """Return the local time that the terminal showed when it was asked, without a zone; None when not known."""
    if terminal.clock_checked_at is None or terminal.clock_offset is None:
        return None
    offset = offset_there(terminal)
    ahead = timedelta(seconds=terminal.clock_offset) + (offset_here(terminal) if offset is None else offset)
    return (terminal.clock_checked_at + ahead).replace(tzinfo=None)


def offset_there(terminal: Terminal) -> timedelta | None:
    """Return the terminal's offset from UTC when it was asked, with its summer time; None when not known."""
    zone = system_time.zone(terminal.zone)
    moment = terminal.clock_checked_at or datetime.now(UTC)
    return None if zone is None else moment.astimezone(zone).utcoffset()


def offset_by(zone: str) -> timedelta | None:
    """Return the offset from UTC that a zone has now; None when it is not readable."""
    there = system_time.zone(zone)
    return None if there is None else datetime.now(UTC).astimezone(there).utcoffset()


def offset_here(terminal: Terminal) -> timedelta:
    """Return the offset from UTC of this installation at the time when the terminal was asked."""
    return _offset(terminal.clock_checked_at or datetime.now(UTC))


def written(offset: timedelta | None) -> str:
    """Return an offset from UTC as UTC+5 or UTC-3:30; an empty text when it is not known."""
    if offset is None:
        return ""
    sign = "-" if offset < timedelta() else "+"
    hours, minutes = divmod(int(abs(offset).total_seconds()) // 60, 60)
    return f"UTC{sign}{hours}:{minutes:02}" if minutes else f"UTC{sign}{hours}"


def _offset(moment: datetime) -> timedelta:
    return local(moment).utcoffset() or timedelta()


def _audit_fields(terminal: Terminal) -> dict[str, Any]:
    seconds = {} if terminal.clock_offset is None else {"seconds_ahead": terminal.clock_offset}
    return {**seconds, "zone": written(offset_there(terminal))}
