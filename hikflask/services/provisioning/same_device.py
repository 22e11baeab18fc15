"""One device under two rows: an old device at a new address, or two that were swapped. The serial number tells it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from sqlalchemy import and_, or_, select

from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.services import audit
from hikflask.services.core import shown
from hikflask.services.core.db import transaction
from hikflask.services.core.errors import ServiceError
from hikflask.services.enrolments.retire_terminal import count_numbers_on
from hikflask.services.photos import deletion
from hikflask.services.terminals import connection, leases, recovery, registry

MOVE = "edit"
MOVE_SECONDS = 10.0
WAIT_SECONDS = 5.0


# How a device is reached: its address, login and certificate. The password is encrypted.
Way = tuple[str, str, str, str | None]


def known_as(terminal: Terminal) -> Terminal | None:
    """Return another terminal that is this very device, by its serial number, or was until it was replaced; or None.

    The row that the device had first comes first. A serial number that is not told is nobody's.
    """
    if not terminal.serial:
        return None
    replaced = and_(Terminal.awaits_restore, Terminal.earlier_serial == terminal.serial)
    same = select(Terminal).where(
        Terminal.id != terminal.id, Terminal.retired_at.is_(None), or_(Terminal.serial == terminal.serial, replaced)
    )
    return db.session.execute(same.order_by(Terminal.id).limit(1)).scalar_one_or_none()


def is_swapped(first: Terminal, second: Terminal) -> bool:
    """True when each of two devices answers at the other one's address."""
    crossed = (first.serial, first.earlier_serial) == (second.earlier_serial, second.serial)
    return crossed and bool(first.serial and second.serial) and first.awaits_restore and second.awaits_restore


def old_and_new(terminal: Terminal, other: Terminal) -> tuple[Terminal, Terminal] | None:
    """Return which of two rows of one device keeps its people and gets the address of the other one.

    None when both have people, so that neither can be dropped.
    """
    return next((rows for rows in ((other, terminal), (terminal, other)) if may_move(*rows)), None)


def may_move(old: Terminal, new: Terminal) -> bool:
    """True when the old row can get the address of the new one, on which nobody is enrolled."""
    return old.id != new.id and not new.awaits_restore and count_numbers_on(new.id) == 0


def digest(terminal: Terminal, other: Terminal) -> str:
    """Return what names the question about two rows, see services/core/shown.py: what would be done, and to which."""
    rows = old_and_new(terminal, other) or (terminal, other)
    return shown.digest(is_swapped(terminal, other), [[row.id, row.name, row.url] for row in rows])


def move(old_id: int, new_id: int, holder: str) -> Terminal:
    """Give the row that knows the people the address and login of the new row, and delete the new row.

    So what is desired and what was confirmed stays.

    :raises terminal_has_people: when somebody is enrolled on the new row. :raises TerminalInUse: while somebody talks
        to one of them. :raises terminal_unknown: when one of them is gone, or they are not the same device any more.
    """
    with _held(old_id, new_id, holder), transaction():
        old, new = connection.get_terminal(old_id), connection.get_terminal(new_id)
        if known_as(new) is not old:
            raise ServiceError("terminal_unknown")
        if not may_move(old, new):
            raise ServiceError("terminal_has_people")
        _readdress(old, _way_to(new))
        files = registry.delete_held(new_id)
        recovery.retry_all(old_id)
    deletion.remove_at_once(files)
    return connection.get_terminal(old_id)


def swap(first_id: int, second_id: int, holder: str) -> None:
    """Exchange the addresses and logins of two terminals whose devices were swapped.

    :raises TerminalInUse: while somebody talks to one of them.
    :raises terminal_unknown: when one of them is gone, or they are not swapped any more.
    """
    with _held(first_id, second_id, holder), transaction():
        first, second = connection.get_terminal(first_id), connection.get_terminal(second_id)
        if not is_swapped(first, second):
            raise ServiceError("terminal_unknown")
        to_first, to_second = _way_to(first), _way_to(second)
        _readdress(first, to_second)
        _readdress(second, to_first)
        for terminal_id in sorted((first_id, second_id)):
            recovery.retry_all(terminal_id)


@contextmanager
def _held(first_id: int, second_id: int, holder: str) -> Iterator[None]:
    """Hold both terminals within this; in the order of their ids, so that two never wait for each other."""
    with ExitStack() as held:
        for terminal_id in sorted((first_id, second_id)):
            held.callback(leases.acquire(terminal_id, holder, MOVE, MOVE_SECONDS, WAIT_SECONDS).release)
        yield


def _way_to(terminal: Terminal) -> Way:
    return terminal.url, terminal.username, terminal.password_encrypted, terminal.fingerprint


def _readdress(terminal: Terminal, way: Way) -> None:
    before = registry.audit_fields(terminal)
    terminal.url, terminal.username, terminal.password_encrypted, terminal.fingerprint = way
    registry.forget_answers(terminal)
    audit.record("terminal.changed", terminal=terminal.name, before=before, after=registry.audit_fields(terminal))
