"""The check: asks a terminal what it is, what it can do, and how many people it has.

It runs when a terminal is added, when an operator presses "Check", and before the first use.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import select, update

from hikflask.extensions import db
from hikflask.isapi import capture, device, faces, persons
from hikflask.isapi.errors import Full, Nonsense, Refused
from hikflask.isapi.persons import Count
from hikflask.models import Terminal
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
from hikflask.services.core import heartbeat
from hikflask.services.core.db import changed_rows, transaction
from hikflask.services.terminals import capacity, clock, connection, people_changes, recovery
from hikflask.services.terminals.connection import Conversation
from hikflask.services.terminals.device_swap import distrust, is_other_device
from hikflask.services.terminals.lost_people import prove_again_if_lost

Told = TypeVar("Told")

CHECK = "check"
# A person waits for the page, so a terminal with slow answers must not block it for a minute.
MAX_SECONDS = 12.0
# A check in the background begins at once, or after the terminal's present conversation.
AWAITED_SECONDS = 45.0


def check(terminal_id: int, holder: str) -> Terminal:
    """Ask the terminal everything again and write it to its row.

    :raises TerminalError: when it fails; the row has the error, too.
    :raises TerminalInUse: when a capture holds it. :raises LoginStopped: when it refused our password before.
    :raises TerminalRetired: when it is out of service for good. :raises terminal_unknown: when there is no such row.
    """
    try:
        with connection.converse(terminal_id, holder, CHECK, total=MAX_SECONDS, urgent=True) as talk:
            return learn(talk)
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


def recognise(talk: Conversation) -> None:
    """Make sure that this is still the same device, before a removal, which only that device can confirm, and when the
    terminal was away: it may have been replaced.

    A terminal that was never checked, or tells another serial number, is checked completely.

    :raises TerminalError: when it fails. :raises LeaseLost: when another holder took the lease.
    """
    known = talk.terminal
    if known.face_mode is None or known.serial != device.info(talk).serial[:128]:
        learn(talk)


def learn(talk: Conversation) -> Terminal:
    """Ask for device, capabilities, limits, counts and time within a conversation, and write them to the row.

    :raises TerminalError: when it fails. :raises LeaseLost: when another holder took the lease; nothing is written.
    """
    # Texts are cut to their columns: PostgreSQL refuses longer ones, SQLite does not.
    info = device.info(talk)
    modes = _if_told(lambda: capture.capabilities(talk)) or capture.CaptureModes()
    limits = _if_told(lambda: device.person_limits(talk)) or device.PersonLimits()
    library = _if_told(lambda: device.face_library(talk)) or device.FaceLibrary()
    counted = count(talk)
    time = _if_told(lambda: clock.read(talk)) or clock.UNKNOWN
    other = is_other_device(talk.terminal, info.serial[:128])
    found: dict[str, Any] = {
        "model": info.model[:64],
        "serial": info.serial[:128],
        "firmware": info.firmware[:64],
        "capture_mode": _capture_mode(talk.terminal, modes) or _tried("capture_mode", talk.terminal, other),
        "face_mode": _face_mode(talk.terminal, modes) or _tried("face_mode", talk.terminal, other),
        "face_calls": _face_calls(library) or (None if other else talk.terminal.face_calls),
        "picture_name": None if other else talk.terminal.picture_name,
        "can_cancel": modes.cancel,
        "name_bytes": limits.name_bytes,
        "people_capacity": limits.people,
        "face_capacity": library.capacity,
        "people": counted and counted.people,
        "faces": counted and counted.faces,
        "checked_at": database_now(),
        **time,
    }
    with talk.lease.write():
        if other:
            found |= distrust(talk.terminal, found["serial"])
        elif found["face_mode"] == BY_PICTURE != talk.terminal.face_mode:
            recovery.bring_photos(talk.terminal.id)
        people_changes.note_count(talk.terminal, counted)
        prove_again_if_lost(talk.terminal, counted)
        changed_rows(update(Terminal).where(Terminal.id == talk.terminal.id).values(**found))
        _let_in_who_waits(talk)
    people_changes.check_some_people(talk)
    return talk.terminal


def count_people(talk: Conversation) -> None:
    """Ask how many people and faces there are, and write it to the row.

    A terminal that was never checked is checked completely.

    :raises TerminalError: when it fails. :raises LeaseLost: when another holder took the lease.
    """
    if talk.terminal.capture_mode is None:
        learn(talk)
        return
    counted = count(talk)
    with talk.lease.write():
        values = {
            "people": counted and counted.people,
            "faces": counted and counted.faces,
            "checked_at": database_now(),
        }
        people_changes.note_count(talk.terminal, counted)
        prove_again_if_lost(talk.terminal, counted)
        changed_rows(update(Terminal).where(Terminal.id == talk.terminal.id).values(**values))
        _let_in_who_waits(talk)
    people_changes.check_some_people(talk)


def count(talk: Conversation) -> Count | None:
    """Return how many people and faces there are by the terminal's count, or None where it does not tell.

    Some firmware counts 0 whoever is there: a 0 that the terminal's own list contradicts tells nothing.

    :raises TerminalError: when it does not answer.
    """
    counted = _if_told(lambda: persons.count(talk))
    if counted is None or 0 not in {counted.people, counted.faces}:
        return counted
    number = people_changes.somebody_there(talk.terminal.id)
    person = _if_told(lambda: persons.find(talk, number)) if number else None
    if person is None:
        return counted
    if counted.people == 0:
        return None
    has_face = person.faces if person.faces is not None else _if_told(lambda: faces.find(talk, person.number))
    return replace(counted, faces=None) if has_face else counted


def _let_in_who_waits(talk: Conversation) -> None:
    """Read the terminal's row again, which was just written, and make those due for whom there is room now."""
    talk.terminal = db.session.get_one(Terminal, talk.terminal.id, populate_existing=True)
    capacity.make_due(talk.terminal.id, *capacity.remaining(talk.terminal))


def require_room_for_person(talk: Conversation) -> None:
    """Refuse a new person whom the terminal would refuse. People are counted again first.

    :raises Full: when it is full. :raises TerminalError: when it cannot be asked.
    """
    if capacity.remaining(talk.terminal)[0] == 0:
        count_people(talk)
        if capacity.remaining(talk.terminal)[0] == 0:
            raise Full(code="deviceuserfull", sub_status="deviceUserFull")


def require_room_for_face(talk: Conversation) -> None:
    """Refuse a new face as require_room_for_person() refuses a person."""
    if capacity.remaining(talk.terminal)[1] == 0:
        count_people(talk)
        if capacity.remaining(talk.terminal)[1] == 0:
            raise Full(code="devicefacefull", sub_status="deviceFaceFull")


def _if_told(ask: Callable[[], Told]) -> Told | None:
    """Return the answer to a request that not every model supports, or None when there is no usable answer."""
    try:
        return ask()
    except (Refused, Nonsense) as error:
        if error.retryable:
            raise
        return None


def _tried(mode: str, terminal: Terminal, other: bool) -> str:
    """Return the mode when the terminal does not tell it: the one that worked on this same device, else UNKNOWN."""
    known: str | None = getattr(terminal, mode)
    return UNKNOWN if other or known in {None, NO_CAPTURE} else str(known)


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


def _face_calls(library: device.FaceLibrary) -> str | None:
    if "setup" in library.functions:
        return FACE_SET_UP
    return FACE_ADD_OR_REPLACE if "post" in library.functions else None
