"""Brings people to a terminal: everybody, those of the device that it replaces, or those of another terminal."""

from sqlalchemy import update

from hikflask.extensions import db
from hikflask.models import Job, Terminal
from hikflask.services import audit
from hikflask.services.changes import lifecycle
from hikflask.services.changes.kinds import SEND
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.core import shown
from hikflask.services.core.db import changed_rows, lock_terminal, transactional
from hikflask.services.employees import search
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.selection import make_draft
from hikflask.services.terminals import connection, registry


def digest(terminal: Terminal) -> str:
    """Return the digest of a restore (see services/core/shown.py): of both devices, and who is brought to this one."""
    people = sorted(search.ids(EmployeeFilter(had=terminal.id)))
    return shown.digest(terminal.name, terminal.url, terminal.earlier_serial, terminal.serial, people)


@transactional
def begin(terminal_id: int, agreed: str | None) -> Claim | None:
    """Send the active employees who were on the device before to the current one, by a job; None when that was done.

    :param agreed: the digest of what was shown.
    :raises PlanChanged: when yet another device stands there by now, or others would be brought.
    :raises terminal_unknown: when the terminal is not in use.
    :raises NotComparedSinceRestore: after a restore from a backup, before the current device was compared.
    """
    lock_terminal(terminal_id)
    terminal = registry.active(terminal_id)
    connection.refuse_before_compared(terminal)
    waits = update(Terminal).where(Terminal.id == terminal_id, Terminal.awaits_restore)
    if changed_rows(waits.values(awaits_restore=False)) != 1:
        return None
    db.session.refresh(terminal)
    shown.require_same(agreed, digest(terminal))
    before, after = {"serial": terminal.earlier_serial}, {"serial": terminal.serial}
    audit.record("terminal.restored", terminal=terminal.name, before=before, after=after)
    return lifecycle.start(make_draft(SEND, EmployeeFilter(had=terminal_id), terminal=terminal).id, {})


def draft_from(terminal_id: int, source_id: int | None = None) -> Job:
    """Make the draft of a job for the active employees who are not desired on this terminal.

    :param source_id: of another terminal: only those who are or were there. None: everybody.

    :raises terminal_unknown: when the terminal is not in use.
    """
    terminal = registry.active(terminal_id)
    return make_draft(SEND, EmployeeFilter(had=source_id, absent_from=terminal_id), terminal=terminal)


def sources(terminal_id: int) -> list[tuple[Terminal, int]]:
    """Return the other terminals that somebody is on, or was on until they were taken out of service for good."""
    others = [terminal for terminal in registry.list_all() if terminal.id != terminal_id]
    counts = {row: search.count(EmployeeFilter(had=row.id, absent_from=terminal_id)) for row in others}
    return [(terminal, count) for terminal, count in counts.items() if count]
