"""The check: asks a terminal what it is, what it can, and how many people it has.

It is made when a terminal is added, on "Check", and before it is used for the first time.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, func, select, update

from hikflask.extensions import db
from hikflask.isapi import capture, device, persons
from hikflask.isapi.errors import Nonsense, Refused
from hikflask.models import Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import CONFIRMED, PRESENT
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
from hikflask.services.core.db import changed_rows
from hikflask.services.state import enrolment as state
from hikflask.services.terminals import connection
from hikflask.services.terminals.connection import Conversation

Told = TypeVar("Told")

CHECK = "check"
# A person waits for the page of a check, so a terminal that is slow with each answer must not hold it for a minute.
LONGEST_SECONDS = 12.0
# A check in the background begins at once, or after the conversation that the terminal is in.
AWAITED_SECONDS = 45.0


def check(terminal_id: int, holder: str) -> Terminal:
    """Ask the terminal everything again and note it in its row.

    :raises TerminalError: what went wrong; the row says so, too.
    :raises TerminalInUse: when a capture holds it. :raises LoginStopped: when it refused our password before.
    :raises TerminalRetired: when it is out of service for good. :raises TerminalUnknown: when there is none.
    """
    try:
        with connection.converse(terminal_id, holder, CHECK, total=LONGEST_SECONDS) as talk:
            return learn(talk)
    finally:
        _awaited(terminal_id, None)


def expect(terminal_id: int) -> None:
    """Note that a check is about to be made in the background, so that pages wait for it."""
    _awaited(terminal_id, database_now(AWAITED_SECONDS))


def _awaited(terminal_id: int, until: Any) -> None:
    changed_rows(update(Terminal).where(Terminal.id == terminal_id).values(check_until=until))
    db.session.commit()


def is_running(terminal: Terminal) -> bool:
    """True while the terminal is checked, or a worker is about to; a check that nobody makes is not waited for."""
    now = db.session.execute(select(database_now())).scalar_one()
    db.session.commit()
    held = terminal.lease_purpose == CHECK and terminal.lease_until is not None and terminal.lease_until > now
    return held or (terminal.check_until is not None and terminal.check_until > now and heartbeat.alive())


def recognise(talk: Conversation) -> None:
    """Ask one question before a removal: only the device that had the person can say that the person is gone.

    One that was never checked, or tells another serial number than before, is asked everything, as by a check.

    :raises TerminalError: what went wrong. :raises LeaseLost: when another holder came.
    """
    known = talk.terminal
    if known.face_mode is None or known.serial != device.info(talk).serial[:128]:
        learn(talk)


def learn(talk: Conversation) -> Terminal:
    """Ask for device, capabilities, limits and counts within a conversation, and write them to the row.

    :raises TerminalError: what went wrong. :raises LeaseLost: when another holder came; nothing is written.
    """
    # What a terminal says may be longer than a column; PostgreSQL refuses what SQLite takes.
    info = device.info(talk)
    modes = _if_told(lambda: capture.capabilities(talk)) or capture.CaptureModes()
    limits = _if_told(lambda: device.person_limits(talk)) or device.PersonLimits()
    library = _if_told(lambda: device.face_library(talk)) or device.FaceLibrary()
    count = _if_told(lambda: persons.count(talk))
    other = _is_other(talk.terminal, info.serial[:128])
    found: dict[str, Any] = {
        "model": info.model[:64],
        "serial": info.serial[:128],
        "firmware": info.firmware[:64],
        "capture_mode": _capture_mode(talk.terminal, modes) or _tried("capture_mode", talk.terminal, other),
        "face_mode": _face_mode(talk.terminal, modes) or _tried("face_mode", talk.terminal, other),
        "face_calls": _face_calls(library) or (None if other else talk.terminal.face_calls),
        "can_cancel": modes.cancel,
        "name_bytes": limits.name_bytes,
        "people_capacity": limits.people,
        "face_capacity": library.capacity,
        "people": count and count.people,
        "faces": count and count.faces,
        "checked_at": database_now(),
    }
    with talk.lease.write():
        if other:
            _distrust(talk.terminal.id)
            old, new = {"serial": talk.terminal.serial}, {"serial": found["serial"]}
            audit.note("terminal.other_device", terminal=talk.terminal.name, before=old, after=new)
        _prove_again_if_lost(talk.terminal, count)
        changed_rows(update(Terminal).where(Terminal.id == talk.terminal.id).values(**found))
    talk.terminal = connection.terminal_row(talk.terminal.id)
    return talk.terminal


def _is_other(terminal: Terminal, serial: str) -> bool:
    """True for another serial number than the one told before, and where one is suddenly told, or not any more."""
    return terminal.checked_at is not None and terminal.serial != serial


def count_people(talk: Conversation) -> None:
    """Ask how many people and faces there are, and write it to the row; one that was never checked is checked whole.

    :raises TerminalError: what went wrong. :raises LeaseLost: when another holder came.
    """
    if talk.terminal.capture_mode is None:
        learn(talk)
        return
    count = _if_told(lambda: persons.count(talk))
    with talk.lease.write():
        values = {"people": count and count.people, "faces": count and count.faces, "checked_at": database_now()}
        _prove_again_if_lost(talk.terminal, count)
        changed_rows(update(Terminal).where(Terminal.id == talk.terminal.id).values(**values))


def _if_told(ask: Callable[[], Told]) -> Told | None:
    """Return what the terminal answers to a question that not every model knows; None when it says nothing usable."""
    try:
        return ask()
    except (Refused, Nonsense) as error:
        if error.retryable:
            raise
        return None


def _tried(mode: str, terminal: Terminal, other: bool) -> str:
    """What a terminal does not tell stays as it was tried on this very device; what did not work is tried again."""
    known: str | None = getattr(terminal, mode)
    return UNKNOWN if other or known in {None, NO_CAPTURE} else str(known)


def _capture_mode(terminal: Terminal, modes: capture.CaptureModes) -> str | None:
    """By URL where offered; where the face goes by picture anyway, the picture itself is the safer way to get it."""
    if modes.url and not (terminal.face_by_picture and modes.binary):
        return BY_URL
    return BY_BINARY if modes.binary else None


def _face_mode(terminal: Terminal, modes: capture.CaptureModes) -> str | None:
    """A terminal that offers only binary takes the picture itself, and so does one that an administrator marked so."""
    if terminal.face_by_picture or (modes.binary and not modes.url):
        return BY_PICTURE
    return BY_URL if modes.url else None


def _face_calls(library: device.FaceLibrary) -> str | None:
    if "setup" in library.functions:
        return FACE_SET_UP
    return FACE_ADD_OR_REPLACE if "post" in library.functions else None


def _prove_again_if_lost(terminal: Terminal, count: persons.Count | None) -> None:
    """When the terminal has fewer people, or faces, than it confirmed, have everybody proven again, one after another.

    Who is to be proven again does not count as confirmed, so the same loss is noticed once.
    """
    if count is None:
        return
    confirmed = and_(Enrolment.terminal_id == terminal.id, Enrolment.desired == PRESENT, Enrolment.person == CONFIRMED)
    here = _counted(confirmed), _counted(and_(confirmed, Enrolment.face == CONFIRMED))
    if count.people >= here[0] and (count.faces is None or count.faces >= here[1]):
        return
    state.apply(state.PEOPLE_LOST, Enrolment.terminal_id == terminal.id)
    there = {"people": count.people, "faces": count.faces}
    audit.note("terminal.people_lost", terminal=terminal.name, before=dict(zip(there, here, strict=True)), after=there)


def _counted(those: ColumnElement[bool]) -> int:
    return db.session.execute(select(func.count()).select_from(Enrolment).where(those)).scalar_one()


def _distrust(terminal_id: int) -> None:
    """Another device answers at this address: nothing that the old one confirmed is true of it.

    Who was written to it may still open doors by it, now or when it is put back: whoever leaves stays in sight until
    a person says that the number is gone there, too.
    """
    here = Enrolment.terminal_id == terminal_id
    state.apply(state.LEFT_ON_OLD_DEVICE, here)
    state.apply(state.LEAVING_OLD_DEVICE, here)
    state.apply(state.DESIRED_ON_NEW_DEVICE, here)
