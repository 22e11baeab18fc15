"""The check: asks a terminal what it is, what it can do, and how many people it has. Its status is part of that.

It runs when a terminal is added, when an operator presses "Check", and before the first use.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from hikflask.extensions import db
from hikflask.isapi import capture, device, faces, persons
from hikflask.isapi.errors import Full, TerminalError
from hikflask.isapi.persons import Count
from hikflask.models import Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.models.terminal import (
    BY_BINARY,
    BY_PICTURE,
    BY_URL,
    FACE_ADD_OR_REPLACE,
    FACE_SET_UP,
    NO_CAPTURE,
    UNKNOWN,
)
from hikflask.services import audit
from hikflask.services.core import heartbeat
from hikflask.services.core.db import changed_rows, transaction
from hikflask.services.core.errors import LoginStopped, TerminalInUse, TerminalRetired
from hikflask.services.state import enrolment as state
from hikflask.services.terminals import capacity, clock, connection, door, lost_people, people_changes, recovery
from hikflask.services.terminals.connection import Conversation, usable_answer

CHECK = "check"
# A person waits for the page, so a terminal with slow answers must not block it for a minute.
MAX_SECONDS = 12.0
# A check in the background begins at once, or after the terminal's current conversation.
AWAITED_SECONDS = 45.0
# How faces are sent, by what the face library offers; the first that it offers counts.
FACE_CALLS = {"setup": FACE_SET_UP, "post": FACE_ADD_OR_REPLACE}


def check(terminal_id: int, holder: str) -> Terminal:
    """Ask the terminal everything again and write it to its row.

    :raises TerminalError: when it fails; the row has the error, too.
    :raises TerminalInUse: when a capture holds it. :raises LoginStopped: when it refused our password before.
    :raises TerminalRetired: when it is out of service for good. :raises terminal_unknown: when there is no such row.
    """
    try:
        with connection.converse(terminal_id, holder, CHECK, total=MAX_SECONDS, urgent=True) as conversation:
            learn(conversation)
        return connection.get_terminal(terminal_id)  # With what the whole conversation showed.
    finally:
        _awaited(terminal_id, None)


def expect(terminal_id: int) -> None:
    """Write that a check will run in the background, so that pages wait for it."""
    _awaited(terminal_id, database_now(AWAITED_SECONDS))


def _awaited(terminal_id: int, until: Any) -> None:
    with transaction(alone=True):
        changed_rows(update(Terminal).where(Terminal.id == terminal_id).values(check_until=until))


def is_running(terminal: Terminal) -> bool:
    """True while a check runs or a living worker will run it."""
    now = db.session.execute(select(database_now())).scalar_one()
    held = terminal.lease_purpose == CHECK and terminal.lease_until is not None and terminal.lease_until > now
    return held or (terminal.check_until is not None and terminal.check_until > now and heartbeat.alive())


def recognise(conversation: Conversation) -> None:
    """Make sure that this is still the same device, before a removal, which only that device can confirm, and when the
    terminal was away: it may have been replaced.

    A terminal that was never checked, or tells another serial number, is checked completely.

    :raises TerminalError: when it fails. :raises LeaseLost: when another holder took the lease.
    """
    terminal = conversation.terminal
    if terminal.face_mode is None or terminal.serial != device.info(conversation).serial[:128]:
        learn(conversation)


def learn(conversation: Conversation) -> Terminal:
    """Ask for device, capabilities, limits, counts and time within a conversation, and write them to the row.

    :raises TerminalError: when it fails. :raises LeaseLost: when another holder took the lease; nothing is written.
    """
    info = device.info(conversation)
    modes = usable_answer(lambda: capture.capabilities(conversation)) or capture.CaptureModes()
    limits = usable_answer(lambda: device.person_limits(conversation)) or device.PersonLimits()
    library = usable_answer(lambda: device.face_library(conversation)) or device.FaceLibrary()
    counted = count(conversation)
    time = usable_answer(lambda: clock.read(conversation)) or clock.UNKNOWN
    of_door = door.read(conversation)
    terminal, serial = conversation.terminal, info.serial[:128]
    # Also when a serial number appears or disappears.
    is_other_device = terminal.checked_at is not None and terminal.serial != serial
    face_calls = next((calls for function, calls in FACE_CALLS.items() if function in library.functions), None)
    # Texts are cut to their columns: PostgreSQL refuses longer ones, SQLite does not.
    values: dict[str, Any] = {
        "model": info.model[:64],
        "serial": serial,
        "firmware": info.firmware[:64],
        "capture_mode": _capture_mode(terminal, modes) or _tried("capture_mode", terminal, is_other_device),
        "face_mode": _face_mode(terminal, modes) or _tried("face_mode", terminal, is_other_device),
        "face_calls": face_calls or (None if is_other_device else terminal.face_calls),
        "picture_name": None if is_other_device else terminal.picture_name,
        "can_cancel": modes.cancel,
        "name_bytes": limits.name_bytes or (None if is_other_device else terminal.name_bytes),
        "people_capacity": limits.people,
        "face_capacity": library.capacity,
        **time,
        **of_door,
    }
    with conversation.lease.write():
        if is_other_device:
            values |= distrust(terminal, serial)
        elif values["face_mode"] == BY_PICTURE != terminal.face_mode:
            recovery.bring_photos(terminal.id)
        _write(conversation, counted, values)
    people_changes.check_some_people(conversation)
    return conversation.terminal


def count_people(conversation: Conversation) -> None:
    """Ask how many people and faces there are, and how its door is, and write it to the row.

    A terminal that was never checked is checked completely.

    :raises TerminalError: when it fails. :raises LeaseLost: when another holder took the lease.
    """
    if conversation.terminal.capture_mode is None:
        learn(conversation)
        return
    counted, of_door = count(conversation), door.read(conversation)
    with conversation.lease.write():
        _write(conversation, counted, of_door)
    people_changes.check_some_people(conversation)


def _write(conversation: Conversation, counted: Count | None, values: Mapping[str, Any]) -> None:
    """Write counts and values to the row, read it again, and make those due for whom there is room now."""
    terminal_id = conversation.terminal.id
    people_changes.check_count(conversation.terminal, counted)
    counts = {"people": counted and counted.people, "faces": counted and counted.faces, "checked_at": database_now()}
    changed_rows(update(Terminal).where(Terminal.id == terminal_id).values(**values, **counts))
    conversation.terminal = db.session.get_one(Terminal, terminal_id, populate_existing=True)
    capacity.make_due(terminal_id, *capacity.remaining(conversation.terminal))


def distrust(terminal: Terminal, serial: str) -> dict[str, Any]:
    """Mark everything as unconfirmed on another device at a terminal's address; return what the terminal's row gets.

    It is within the caller's transaction. The device may be a new one in the place of the old one, or one that belongs
    to another door. So nobody is sent to it before an administrator says so, save one by one. When the old device comes
    back meanwhile, everybody is verified again by itself.

    People who were written to the old device may still open doors with it, now or when it is put back. So a removal
    stays open until a person says that the number is gone from the old device, too.
    """
    here = Enrolment.terminal_id == terminal.id
    state.lock_many(here)
    state.doubt_cards(terminal.id)
    state.apply(state.LEFT_ON_OLD_DEVICE, here)
    state.apply(state.LEAVING_OLD_DEVICE, here)
    awaited = state.apply(state.AWAITED_ON_NEW_DEVICE, here) > 0
    # A serial number that is not told is nobody's.
    returned = terminal.awaits_restore and serial != "" and serial == terminal.earlier_serial
    if returned:
        state.apply(state.RESTORED, here)
    old, new = {"serial": terminal.serial}, {"serial": serial}
    audit.record("terminal.other_device", terminal=terminal.name, before=old, after=new)
    return {
        "earlier_serial": terminal.serial,
        "device_changed_at": database_now(),
        "compared_on": None,
        "awaits_restore": awaited and not returned,
    }


def count(conversation: Conversation) -> Count | None:
    """Return how many people and faces there are by the terminal's count, or None where it does not tell.

    Some firmware always counts 0: a 0 that the terminal's own list contradicts tells nothing.

    :raises TerminalError: when it does not answer.
    """
    counted = usable_answer(lambda: persons.count(conversation))
    if counted is None or 0 not in {counted.people, counted.faces}:
        return counted
    number = people_changes.somebody_there(conversation.terminal.id)
    person = usable_answer(lambda: persons.find(conversation, number)) if number else None
    if person is None:
        return counted
    if counted.people == 0:
        return None
    has_face = (
        person.faces if person.faces is not None else usable_answer(lambda: faces.find(conversation, person.number))
    )
    return replace(counted, faces=None) if has_face else counted


def require_room(conversation: Conversation, *, for_face: bool = False) -> None:
    """Refuse a new person, or a new face, that the terminal would refuse. People are counted again first.

    :raises Full: when it is full. :raises TerminalError: when it cannot be asked.
    """

    def is_full() -> bool:
        people, faces = capacity.remaining(conversation.terminal)
        return (faces if for_face else people) == 0

    if is_full():
        count_people(conversation)
        if is_full():
            name = "deviceFaceFull" if for_face else "deviceUserFull"
            raise Full(code=name.lower(), sub_status=name)


def _tried(mode: str, terminal: Terminal, other: bool) -> str:
    """Return the mode when the terminal does not tell it: the one that worked on this same device, else UNKNOWN."""
    current: str | None = getattr(terminal, mode)
    return UNKNOWN if other or current in {None, NO_CAPTURE} else str(current)


def _capture_mode(terminal: Terminal, modes: capture.CaptureModes) -> str | None:
    """By URL if offered. But if faces are sent by picture anyway, binary is safer: no file can be overwritten."""
    if modes.url and not (terminal.face_by_picture and modes.binary):
        return BY_URL
    return BY_BINARY if modes.binary else None


def _face_mode(terminal: Terminal, modes: capture.CaptureModes) -> str | None:
    """By picture if the terminal offers only binary, or if an administrator set face_by_picture."""
    if terminal.face_by_picture or (modes.binary and not modes.url):
        return BY_PICTURE
    return BY_URL if modes.url else None


@dataclass(frozen=True)
class Status:
    """The status of a terminal. `capacity` is the largest number of people, or of faces if only that is known.

    `lost` is how many people it had when it lost all of them, until all are there again, else 0. The door is in the
    words of isapi/door.py, None for what the terminal does not tell.
    """

    reachable: bool | None
    login: bool | None
    busy: bool
    people: int | None
    faces: int | None
    capacity: int | None
    lost: int
    checked_at: datetime | None
    door_lock: str | None
    door_mode: str | None
    door_contact: str | None


def status_without_asking(terminal_id: int) -> Status | None:
    """Return the status from the row while the terminal is backing off, or None when it should be asked."""
    backing_off = select(Terminal.id).where(Terminal.id == terminal_id, Terminal.backoff_until > database_now())
    return _of_row(terminal_id, busy=False) if db.session.execute(backing_off).first() else None


def ask_status(terminal_id: int, holder: str) -> Status:
    """Return the terminal's status: asked now, or read from the row while somebody talks to it.

    :raises terminal_unknown: when there is no such row.
    """
    busy = False
    try:
        with connection.converse(terminal_id, holder, CHECK, wait=0.0, total=MAX_SECONDS) as conversation:
            count_people(conversation)
    except TerminalInUse:
        busy = True
    except (LoginStopped, TerminalRetired, TerminalError):
        pass  # The conversation wrote the error to the row, which is returned.
    return _of_row(terminal_id, busy)


def _of_row(terminal_id: int, busy: bool) -> Status:
    terminal = connection.get_terminal(terminal_id)
    stopped = terminal.refused_since is not None
    lost = lost_people.at(terminal_id)
    return Status(
        reachable=terminal.reachable,
        login=False if stopped else terminal.login,
        busy=busy,
        people=terminal.people,
        faces=terminal.faces,
        capacity=terminal.people_capacity or terminal.face_capacity,
        lost=lost.people if lost else 0,
        checked_at=terminal.checked_at,
        door_lock=terminal.door_lock or None,
        door_mode=terminal.door_mode or None,
        door_contact=terminal.door_contact or None,
    )
