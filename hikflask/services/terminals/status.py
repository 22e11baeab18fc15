"""The status of a terminal: asked now, or read from its row while the terminal is in use or backing off."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from hikflask.extensions import db
from hikflask.isapi.errors import TerminalError
from hikflask.models import Terminal
from hikflask.models.columns import database_now
from hikflask.services.core.errors import LoginStopped, TerminalInUse, TerminalRetired
from hikflask.services.terminals import checks, connection


@dataclass(frozen=True)
class Status:
    """The status of a terminal. `capacity` is the largest number of people, or of faces if only that is known."""

    reachable: bool | None
    login: bool | None
    busy: bool
    people: int | None
    faces: int | None
    capacity: int | None
    checked_at: datetime | None


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
        with connection.converse(terminal_id, holder, checks.CHECK, wait=0.0, total=checks.MAX_SECONDS) as talk:
            checks.count_people(talk)
    except TerminalInUse:
        busy = True
    except (LoginStopped, TerminalRetired, TerminalError):
        pass  # The conversation wrote the error to the row, which is returned.
    return _of_row(terminal_id, busy)


def _of_row(terminal_id: int, busy: bool) -> Status:
    terminal = connection.get_terminal(terminal_id)
    stopped = terminal.refused_since is not None
    return Status(
        reachable=terminal.reachable,
        login=False if stopped else terminal.login,
        busy=busy,
        people=terminal.people,
        faces=terminal.faces,
        capacity=terminal.people_capacity or terminal.face_capacity,
        checked_at=terminal.checked_at,
    )
