"""Adds, changes, deletes and finds terminals. Passwords are stored encrypted and are never returned."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from flask import current_app
from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from hikflask.extensions import db, vault
from hikflask.isapi.client import certificate_fingerprint
from hikflask.models import Capture, Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import PRESENT, REMOVED
from hikflask.services import audit
from hikflask.services.core.db import HELD_TERMINALS, Require, changed_rows, end_read, fresh, transaction, transactional
from hikflask.services.core.errors import ServiceError, TerminalRetired
from hikflask.services.photos import deletion
from hikflask.services.terminals import allowed_addresses, connection, leases, recovery

EDIT = "edit"
EDIT_SECONDS = 5.0
# Made once: to make a statement costs more than to run it.
HELD = HELD_TERMINALS.where(Terminal.id == bindparam("terminal_id"))
ALL = select(Terminal).order_by(Terminal.name).execution_options(populate_existing=True)
AUDITED = ("name", "url", "username", "fingerprint", "is_active", "face_by_picture", "direction")


@dataclass(frozen=True)
class Access:
    """A terminal's address and login. `password` None keeps the stored one."""

    name: str
    url: str
    username: str
    password: str | None = field(default=None, repr=False)
    fingerprint: str | None = None
    is_active: bool = True
    face_by_picture: bool = False
    direction: str = ""

    def applied_to(self, terminal: Terminal, fields: Collection[str] | None) -> "Access":
        """Return what a save of these fields makes of a terminal; None: of all."""
        kept = set() if fields is None else {*AUDITED} - {*fields}
        return replace(self, **{name: getattr(terminal, name) for name in kept})


def add(access: Access) -> Terminal:
    """Add a terminal. It is checked afterwards, or before its first use.

    :raises terminal_name_known: when another terminal has this name.
    :raises terminal_address_refused: when the address is not allowed.
    """
    allowed_addresses.refuse_unallowed(access.url)
    fields = {name: getattr(access, name) for name in AUDITED}
    terminal = Terminal(**fields, password_encrypted=vault.encrypt(access.password or ""))
    with _unique_name(), transaction():
        db.session.add(terminal)
        audit.record("terminal.added", terminal=terminal.name, after=audit_fields(terminal))
    return terminal


def change(
    terminal_id: int,
    access: Access,
    holder: str,
    wait: float | None = None,
    fields: Collection[str] | None = None,
    require: Require | None = None,
    in_use_again: Callable[[Terminal], object] | None = None,
) -> Terminal:
    """Change a terminal under its lease. After a corrected login, waiting enrolments are retried.

    :param wait: how long to wait for the current holder of the lease, in seconds (default: LEASE_WAIT).
    :param fields: those of `access` that are saved; the others stay as they are. None saves all, the password if given.
    :param require: is called under the lease, and raises when nothing is to be done.
    :param in_use_again: done within the same transaction when the terminal is in use from now on.
    :raises TerminalInUse: when a conversation does not end in time. :raises terminal_name_known: when it is taken.
    :raises terminal_unknown: when there is no such terminal.
    :raises terminal_address_refused: when the address is not allowed. A terminal that already has such an address can
        still be deactivated.
    :raises terminal_password_needed: when the address or the certificate changes and no password is given.
    """
    current = connection.get_terminal(terminal_id)
    wanted = access.applied_to(current, fields)
    if wanted.is_active or current.url != wanted.url:
        allowed_addresses.refuse_unallowed(wanted.url)
    with _leased(terminal_id, holder, wait), _unique_name(), transaction():
        # Only taking it out of use waits for those who are desiring somebody there.
        lock = {"key_share": wanted.is_active}
        terminal = db.session.get_one(Terminal, terminal_id, populate_existing=True, with_for_update=lock)
        if require:
            require()
        access, was_active = access.applied_to(terminal, fields), terminal.is_active
        if not access.password and leads_elsewhere(terminal, access.url, access.fingerprint):
            raise ServiceError("terminal_password_needed")
        reached_anew = _save(terminal, access)
        if in_use_again and terminal.is_active and not was_active:
            in_use_again(terminal)
        # With what was corrected, or what stopped because of it would never be tried again when the process dies now.
        if reached_anew:
            recovery.retry_all(terminal_id)
    return db.session.get_one(Terminal, terminal_id, populate_existing=True)


def _save(terminal: Terminal, access: Access) -> bool:
    """Write the fields and record the change, within the caller's transaction.

    :return: True when the address, login or face_by_picture changed, or the terminal is back in service.
    """
    before = audit_fields(terminal)
    terminal.name, terminal.url, terminal.username = access.name, access.url, access.username
    terminal.fingerprint, terminal.is_active = access.fingerprint, access.is_active
    terminal.face_by_picture, terminal.direction = access.face_by_picture, access.direction
    returns = terminal.retired_at is not None and access.is_active
    if returns:
        terminal.retired_at, terminal.retired_note = None, ""
    if access.password:
        terminal.password_encrypted = vault.encrypt(access.password)
    after = audit_fields(terminal)
    changed = {name for name in AUDITED if before[name] != after[name]}
    has_new_login = bool(access.password or changed & {"url", "username", "fingerprint"})
    reached_anew = returns or has_new_login or "face_by_picture" in changed
    if reached_anew:
        _forget_modes(terminal)
    if has_new_login:
        _use_new_login(terminal)
    if changed:
        audit.record("terminal.changed", terminal=terminal.name, before=before, after=after)
    if access.password:
        audit.record("terminal.password_changed", terminal=terminal.name)
    return reached_anew


@contextmanager
def _leased(terminal_id: int, holder: str, wait: float | None) -> Iterator[None]:
    """Hold the terminal's lease within the block; wait up to so many seconds for it, None: LEASE_WAIT."""
    wait = current_app.config["LEASE_WAIT"] if wait is None else wait
    lease = leases.acquire(terminal_id, holder, EDIT, EDIT_SECONDS, wait)
    try:
        yield
    finally:
        lease.release()


@contextmanager
def _unique_name() -> Iterator[None]:
    """Refuse a name that another terminal has."""
    try:
        yield
    except IntegrityError as error:
        raise ServiceError("terminal_name_known") from error


def leads_elsewhere(terminal: Terminal, url: str, fingerprint: str | None) -> bool:
    """True when another device may answer: it could choose the challenge and find the password from the response."""
    return (terminal.url, terminal.fingerprint) != (url, fingerprint)


def forget_answers(terminal: Terminal) -> None:
    """Forget what is only known from the address and login before, within the caller's transaction."""
    _forget_modes(terminal)
    _use_new_login(terminal)
    terminal.offline_since = terminal.backoff_until = None


def _forget_modes(terminal: Terminal) -> None:
    """Forget what the terminal can do: unknown until it is checked with the new address and login."""
    terminal.capture_mode = terminal.face_mode = terminal.face_calls = terminal.picture_name = None
    terminal.reachable = terminal.login = None
    terminal.last_error_code = ""


def _use_new_login(terminal: Terminal) -> None:
    terminal.version += 1
    terminal.refused_since = terminal.unlock_at = None
    terminal.refused_code = ""


def audit_fields(terminal: Terminal) -> dict[str, Any]:
    """Return those fields of a terminal that the audit trail shows; its password is not among them."""
    return {name: getattr(terminal, name) for name in AUDITED}


def allow_once(terminal_id: int) -> bool:
    """Allow one more login with the stored password, as an administrator decided. A refusal stops the terminal again.

    Return False when it is not allowed: it is allowed once per stored password, because more tries would lock the
    account, and never while the account is locked.
    """
    may_try = or_(Terminal.unlock_at.is_(None), Terminal.unlock_at <= database_now())
    untried = Terminal.retried_version != Terminal.version
    statement = update(Terminal).where(Terminal.id == terminal_id, untried, may_try)
    opened = {"refused_since": None, "refused_code": "", "unlock_at": None, "retried_version": Terminal.version}
    with transaction():
        allowed = changed_rows(statement.values(**opened)) == 1
        if allowed:
            audit.record("terminal.try_allowed", terminal=db.session.get_one(Terminal, terminal_id).name)
    return allowed


def delete(terminal_id: int, holder: str) -> None:
    """Delete a terminal on which nobody is enrolled, and the unsaved pictures that were captured there.

    :raises terminal_has_people: when somebody is enrolled there, or a removal is open.
    :raises TerminalInUse: while somebody talks to it. :raises terminal_unknown: when there is no such row.
    """
    with _leased(terminal_id, holder, wait=0.0):
        files = delete_held(terminal_id)
    deletion.remove_at_once(files)


@transactional
def delete_held(terminal_id: int) -> list[str]:
    """Delete a terminal whose lease the caller holds; return the files to remove.

    :raises terminal_has_people: when somebody is enrolled there, or a removal is open.
    """
    terminal = db.session.get_one(Terminal, terminal_id, populate_existing=True, with_for_update=True)
    on_it = list(db.session.execute(select(Enrolment).where(Enrolment.terminal_id == terminal_id)).scalars())
    if any(enrolment.state != REMOVED for enrolment in on_it):
        raise ServiceError("terminal_has_people")
    for enrolment in on_it:
        db.session.delete(enrolment)
    db.session.flush()
    files = deletion.forget_unsaved_of(terminal_id)
    audit.record("terminal.deleted", terminal=terminal.name, before=audit_fields(terminal))
    db.session.delete(terminal)
    return files


def find_terminal(terminal_id: int) -> Terminal | None:
    """Return the terminal, fresh from the database, or None."""
    return fresh(Terminal, terminal_id)


def find_by_name(name: str) -> Terminal | None:
    """Return the terminal with this name, or None."""
    return db.session.execute(select(Terminal).where(Terminal.name == name)).scalar_one_or_none()


def active(terminal_id: int) -> Terminal:
    """Return an active terminal, which stays so until the caller's transaction ends.

    :raises terminal_unknown: when there is no such terminal, or it is not active.
    """
    return if_active(_held(terminal_id))


def in_service(terminal_id: int) -> Terminal:
    """Return a terminal that is not out of service for good, and stays so until the caller's transaction ends.

    :raises terminal_unknown: when there is no such terminal. :raises TerminalRetired: when it is.
    """
    terminal = _held(terminal_id)
    if terminal is None:
        raise ServiceError("terminal_unknown")
    if terminal.retired_at is not None:
        raise TerminalRetired(t=terminal.name)
    return terminal


def _held(terminal_id: int) -> Terminal | None:
    terminal: Terminal | None = db.session.execute(HELD, {"terminal_id": terminal_id}).scalar_one_or_none()
    return terminal


def if_active(terminal: Terminal | None) -> Terminal:
    """Return a terminal that was read just now. :raises terminal_unknown: when it is None, or not active."""
    if terminal is None or not terminal.is_active:
        raise ServiceError("terminal_unknown")
    return terminal


def list_all() -> list[Terminal]:
    """Return all terminals, sorted by name."""
    return list(db.session.execute(ALL).scalars())


def list_active() -> list[Terminal]:
    """Return the active terminals, sorted by name."""
    return [terminal for terminal in list_all() if terminal.is_active]


def count_active() -> int:
    """Return the number of active terminals."""
    return db.session.execute(select(func.count(Terminal.id)).where(Terminal.is_active)).scalar_one()


def only_active() -> Terminal | None:
    """Return the only active terminal, the default when none is named. None when there are none or several."""
    terminals = list_active()
    return terminals[0] if len(terminals) == 1 else None


def preferred(active: list[Terminal], number: str, requested_by: str) -> int | None:
    """Return the id of the terminal to preselect, or None.

    First a terminal of the employee, then the terminal of this operator's last capture, then any. Terminals that do not
    answer or refuse our password come last.
    """
    desired = select(Enrolment.terminal_id).where(Enrolment.number == number, Enrolment.desired == PRESENT)
    captured = select(Capture.terminal_id).where(Capture.requested_by == requested_by).order_by(Capture.id.desc())
    order: dict[int, int] = {}
    for statement in (desired.order_by(Enrolment.terminal_id), captured.limit(1)):
        for terminal_id in db.session.execute(statement).scalars():
            order.setdefault(terminal_id, len(order))

    def rank(terminal: Terminal) -> tuple[bool, int]:
        is_out_of_order = terminal.reachable is False or terminal.refused_since is not None
        return is_out_of_order, order.get(terminal.id, len(order))

    best = min(active, key=rank, default=None)
    return best.id if best else None


def shown_fingerprint(url: str) -> str:
    """Return the SHA-256 of the certificate at an https address, for a person to compare and accept.

    :raises Unreachable: when nothing answers there. :raises AddressRefused: when the address is not allowed.
    """
    end_read()
    return certificate_fingerprint(url, current_app.config["CONNECT_TIMEOUT"], allowed_addresses.allowed().places)
