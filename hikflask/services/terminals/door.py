"""The door of a terminal: its state, which is read when its people are counted, and opening it for somebody.

Each press of a person sends one request, and none is sent again, as a second one would open the door once more. What
came of it the terminal's own log tells, or its state; where neither does, it is not known whether the door opened.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, TypeVar

from flask import current_app
from sqlalchemy import and_, delete, or_, select, update

from hikflask.extensions import db
from hikflask.isapi import door as remote_door
from hikflask.isapi import events, system_time
from hikflask.isapi.door import DISABLED, FREE, LOCKED, UNLOCKED, DoorState
from hikflask.isapi.errors import NoAnswer, Nonsense, Refused, TerminalError
from hikflask.isapi.events import EventRecord
from hikflask.models import DoorOpening, Terminal
from hikflask.models.columns import database_now
from hikflask.services import audit
from hikflask.services.core.dates import local
from hikflask.services.core.db import changed_rows, transaction
from hikflask.services.core.errors import LeaseLost, ServiceError
from hikflask.services.terminals import connection
from hikflask.services.terminals.connection import Conversation, usable_answer

Answered = TypeVar("Answered")

DOOR = "door"
# The setting that lets nobody open a door from here; its other words are roles.
OFF = "off"
FIRST_DOOR = 1
# A person waits for the page, and somebody at the door.
MAX_SECONDS = 12.0
# After the request the terminal is looked at so often, each time after so many seconds.
PAUSES = (0.0, 0.3, 0.7)
# What the terminal writes about the request, and about the lock that opens.
COMMAND, LOCK_OPENED = (3, 1024), (5, 21)
# The clock of a terminal is read in whole seconds.
BEFORE, AFTER = timedelta(seconds=1), timedelta(seconds=60)
# An event without a known serial number is of a request so near to it. Serial numbers begin anew when a log is cleared.
NEAR, SAME_LOG = timedelta(seconds=60), timedelta(days=1)
KEPT_SECONDS = 30 * 86400.0


@dataclass(frozen=True)
class Outcome:
    """What came of a press. `opened`: the terminal shows that the door opened; else that is not known.

    `is_repeated`: the same press came before, and nothing was sent now.
    """

    opened: bool
    is_repeated: bool = False


@dataclass(frozen=True)
class _Before:
    """What the terminal showed before the request: its lock, a window of its log, and what was there already."""

    lock: str
    window: tuple[datetime, datetime] | None
    known: frozenset[tuple[int | None, str]]


@dataclass(frozen=True)
class _Proof:
    """Whether the terminal shows that the door opened, and the serial number of the event of our request, if found."""

    opened: bool = False
    serial_no: int | None = None


def read(conversation: Conversation) -> dict[str, Any]:
    """Ask the terminal for the state of its door, and return it as the columns of its row.

    :raises TerminalError: when it does not answer.
    """
    state = usable_answer(lambda: remote_door.state(conversation)) or DoorState()
    return {"door_lock": state.lock, "door_mode": state.mode, "door_contact": state.contact}


def needs_attention(terminal: Terminal) -> bool:
    """True when the door stands open for everybody, or lets nobody in."""
    return terminal.is_active and terminal.door_mode in {FREE, DISABLED}


def may_open(may: Callable[[str], bool]) -> bool:
    """True when the setting lets the caller open doors. :param may: whether the caller may do what a role may."""
    allowed: str = current_app.config["DOOR"]
    return allowed != OFF and may(allowed)


def key_of(*press: object) -> str:
    """Return the key of a press from what tells it from all others."""
    return hashlib.sha256(repr(press).encode()).hexdigest()


def open_door(
    terminal_id: int, reason: str, holder: str, may: Callable[[str], bool], *, call_key: str | None = None
) -> Outcome:
    """Let the terminal open its door once, and look whether it did.

    :param call_key: of the press, where it may come twice: the second time nothing is sent.
    :raises door_off: when the setting does not let the caller do that. :raises terminal_unknown: when it is not in use.
    :raises TerminalError: when the door did not open. :raises ServiceError: as a check does; nothing was sent then.
    """
    if not may_open(may):
        raise ServiceError("door_off")
    with connection.converse(terminal_id, holder, DOOR, total=MAX_SECONDS, urgent=True) as conversation:
        if not conversation.terminal.is_active:
            raise ServiceError("terminal_unknown")
        earlier = call_key and db.session.scalar(select(DoorOpening).filter_by(call_key=call_key))
        if earlier:
            return Outcome(bool(earlier.opened), is_repeated=True)
        # The first request logs in, too, so that the one that opens is not answered with a challenge.
        doors = remote_door.doors(conversation)
        before = _look_before(conversation)
        connection.refuse_before_compared(conversation.terminal)
        opening_id = _record_request(conversation.terminal, reason, call_key)
        try:
            remote_door.open_door(conversation, doors, FIRST_DOOR)
        except (TerminalError, ServiceError) as error:
            if not _may_have_opened(error):
                _record_refusal(opening_id, conversation.terminal, reason, error)
                raise
        proof = _prove(conversation, before)
        _record_outcome(opening_id, conversation.terminal, reason, proof)
        return Outcome(proof.opened)


def match_event(terminal_id: int, serial_no: int, occurred_at: datetime) -> bool:
    """Return True when this program asked for an opening that a terminal wrote, within the caller's transaction.

    Each request explains one event, so that an opening by somebody else at the same time is still noticed.
    """

    def within(span: timedelta) -> Any:
        return DoorOpening.sent_at.between(occurred_at - span, occurred_at + span)

    by_number = and_(DoorOpening.serial_no == serial_no, within(SAME_LOG))
    by_time = and_(DoorOpening.serial_no.is_(None), within(NEAR))
    unmatched = select(DoorOpening.id).where(DoorOpening.terminal_id == terminal_id, ~DoorOpening.is_matched)
    first = unmatched.where(or_(by_number, by_time)).order_by(DoorOpening.serial_no.is_(None), DoorOpening.id).limit(1)
    own = DoorOpening.id.in_(first.scalar_subquery())
    return changed_rows(update(DoorOpening).where(own).values(is_matched=True)) > 0


def _look_before(conversation: Conversation) -> _Before:
    state = _told(lambda: remote_door.state(conversation)) or DoorState()
    shown = _told(lambda: system_time.read(conversation))
    if shown is None:
        return _Before(state.lock, None, frozenset())
    offset = local(datetime.now(UTC)).utcoffset() if shown.offset is None else shown.offset
    now = shown.local.replace(microsecond=0, tzinfo=timezone(offset or timedelta()))
    window = now - BEFORE, now + AFTER
    return _Before(state.lock, window, frozenset(map(_key, _events(conversation, COMMAND, window))))


def _prove(conversation: Conversation, before: _Before) -> _Proof:
    """Look at the terminal until it shows that the door opened, or for the last time."""
    proof = _Proof()
    try:
        for pause in PAUSES:
            time.sleep(pause)
            proof = _look_after(conversation, before)
            if proof.opened:
                break
    except (TerminalError, LeaseLost):
        pass  # Then it is not known, which the caller says.
    return proof


def _look_after(conversation: Conversation, before: _Before) -> _Proof:
    """The log tells by a lock that opened after our request, and the state by a lock that was locked before."""
    commands = _events(conversation, COMMAND, before.window)
    numbers = (event.serial_no for event in commands if _key(event) not in before.known)
    own = min((number for number in numbers if number is not None), default=None)
    if own is not None:
        locks = _events(conversation, LOCK_OPENED, before.window)
        if any(event.serial_no is not None and event.serial_no > own for event in locks):
            return _Proof(opened=True, serial_no=own)
    state = _told(lambda: remote_door.state(conversation)) or DoorState()
    return _Proof(before.lock == LOCKED and state.lock == UNLOCKED, own)


def _events(
    conversation: Conversation, code: tuple[int, int], window: tuple[datetime, datetime] | None
) -> list[EventRecord]:
    major, minor = code
    page = window and _told(
        lambda: events.search(
            conversation,
            search_id=events.new_search(),
            position=0,
            limit=events.SAFE_PAGE,
            major=major,
            minor=minor,
            times=window,
        )
    )
    return page.records if page else []


def _key(event: EventRecord) -> tuple[int | None, str]:
    return event.serial_no, event.time


def _told(ask: Callable[[], Answered]) -> Answered | None:
    """Return what the terminal answers, or None when it does not tell: that is no reason not to open the door."""
    try:
        return ask()
    except (Refused, Nonsense):
        return None


def _may_have_opened(error: TerminalError | ServiceError) -> bool:
    """True for no answer, an answer that is not readable, and an error of its server in which it says nothing."""
    if isinstance(error, Refused):
        return (error.http_status or 0) >= 500 and error.status_code is None and not error.sub_status
    return isinstance(error, NoAnswer | Nonsense)


def _record_request(terminal: Terminal, reason: str, call_key: str | None) -> int:
    """Write the request before it is sent, so that it is known whatever happens then."""
    opening = DoorOpening(terminal_id=terminal.id, call_key=call_key)
    with transaction(alone=True):
        changed_rows(delete(DoorOpening).where(DoorOpening.sent_at < database_now(-KEPT_SECONDS)))
        db.session.add(opening)
        audit.record("terminal.door_asked", terminal=terminal.name, after={"reason": reason})
    return opening.id


def _record_refusal(opening_id: int, terminal: Terminal, reason: str, error: TerminalError | ServiceError) -> None:
    words = (error.message or error.sub_status) if isinstance(error, TerminalError) else ""
    with transaction(alone=True):
        changed_rows(delete(DoorOpening).where(DoorOpening.id == opening_id))
        after = {"reason": reason, "text": words or error.code}
        audit.record("terminal.door_refused", terminal=terminal.name, after=after)


def _record_outcome(opening_id: int, terminal: Terminal, reason: str, proof: _Proof) -> None:
    shown = {"opened": proof.opened or None, "serial_no": proof.serial_no}
    action = "terminal.door_opened" if proof.opened else "terminal.door_not_known"
    with transaction(alone=True):
        changed_rows(update(DoorOpening).where(DoorOpening.id == opening_id).values(**shown))
        audit.record(action, terminal=terminal.name, after={"reason": reason})
