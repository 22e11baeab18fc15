"""Sign-in, and the sessions of operators: opened by name and password, ended by time or by hand.

The cookie holds a random key and the row its SHA-256, so a copy of the database signs nobody in.
"""

import hashlib
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from flask import current_app
from sqlalchemy import Float, and_, bindparam, delete, func, not_, select, update

from hikflask.extensions import db
from hikflask.models import AuditEntry, Operator, OperatorSession
from hikflask.models.accounts import login_of
from hikflask.models.columns import database_now
from hikflask.services import audit
from hikflask.services.accounts import ldap_operators, passwords, rate_limit, sign_in_limits
from hikflask.services.accounts.errors import LdapAway, PasswordsBusy, PasswordWrong, SignInRefused
from hikflask.services.core import no_space
from hikflask.services.core.db import changed_rows, transaction

KEY_BYTES = 32
# The time of the last request is written this often at most.
SEEN_EVERY_SECONDS = 60.0
CONFIRMED_SECONDS = 600.0
# How long a session waits for the second factor.
FACTOR_SECONDS = 600.0
IDLE = bindparam("idle", type_=Float, callable_=lambda: -float(current_app.config["SESSION_IDLE"]))
LIFETIME = bindparam("lifetime", type_=Float, callable_=lambda: -float(current_app.config["SESSION_LIFETIME"]))
# Made once, as each request begins with them: to make a statement costs more than to run it.
WITHIN_LIMITS = (OperatorSession.seen_at > database_now(IDLE), OperatorSession.started_at > database_now(LIFETIME))
IS_OPEN = (~OperatorSession.factor_pending, *WITHIN_LIMITS)
OPEN = (
    select(OperatorSession, Operator, OperatorSession.confirmed_at > database_now(-CONFIRMED_SECONDS))
    .join(Operator)
    .where(OperatorSession.key_sha256 == bindparam("key_sha256"), Operator.is_active, *IS_OPEN)
    .execution_options(populate_existing=True)
)
STALE = select(OperatorSession.id).where(
    OperatorSession.id == bindparam("session_id"),
    OperatorSession.seen_at < database_now(bindparam("since", type_=Float)),
)


@dataclass(frozen=True)
class SignedIn:
    """An open session and its operator.

    `confirmed`: the password was typed within the last ten minutes, to sign in or when it was asked for again.
    `device_generation`: see sign_in_limits.py. `must_set_up_factor`: the role must have a second factor, and the
    operator has none yet. `employees_view`: how the operator looks at the employees (models/accounts.py).
    """

    session_id: int
    operator_id: int
    name: str
    role: str
    must_change_password: bool
    device_generation: int
    confirmed: bool
    must_set_up_factor: bool
    is_local: bool
    employees_view: str

    @property
    def is_kept_back(self) -> bool:
        """True when a new password or a second factor comes before everything else."""
        return self.must_change_password or self.must_set_up_factor


def sign_in(name: str, password: str, address: str, device: str = "") -> str:
    """Open a session and return its key. Every refusal reads the same and takes the same time.

    The session of an operator with a second factor opens nothing yet: find_pending() returns it, and
    second_factor.open_session() opens it.

    :param address: network address of the browser. :param device: the browser's cookie of known devices.
    :raises SignInRefused: unknown name, wrong password, or an operator who may not sign in.
    :raises TooOften: after too many tries or sign-ins (params: seconds). :raises PasswordsBusy:
    """
    operator = db.session.execute(select(Operator).where(Operator.login == login_of(name))).scalar_one_or_none()
    account, place = rate_limit.account_key(name), rate_limit.place_of(address)
    sign_ins = f"signed-in:{rate_limit.key_at_place(account, place)}"
    known_device = sign_in_limits.device_of(device, operator)
    tries = sign_in_limits.tries_of(account, place, known_device)
    # An unknown name may be a password that was typed in the wrong field: the audit trail does not keep it.
    subject = operator.name if operator else ""
    with sign_in_limits.throttling_recorded(subject):
        rate_limit.refuse_exhausted(sign_ins, sign_in_limits.SIGN_INS, sign_in_limits.WINDOW_SECONDS)
        sign_in_limits.count_tries(tries)
        tries_of_entry = partial(sign_in_limits.tries_of, place=place, known_device=known_device)
        admitted, checked = _check(operator, name, password, tries, tries_of_entry)
        if admitted:
            rate_limit.count_try(sign_ins, sign_in_limits.SIGN_INS, sign_in_limits.WINDOW_SECONDS)
    key = _open(admitted, checked, address) if admitted else None
    if key is None:
        audit.record_alone("sign_in.refused", subject=subject)
        raise SignInRefused("sign_in_refused_or_away") if ldap_operators.is_used() else SignInRefused
    sign_in_limits.uncount_tries(tries)
    return key


def _check(
    operator: Operator | None,
    name: str,
    password: str,
    tries: dict[str, int],
    tries_of_entry: Callable[[str], dict[str, int]],
) -> tuple[Operator | None, str | None]:
    """Return the operator whom a password admits, or None, and the hash that it was compared with.

    :param tries: those that are counted; those of the entry in the directory are added.
    """
    checked = operator.password_hash if operator else None
    try:
        fits = passwords.fits(password, checked or None)
    except PasswordsBusy:
        sign_in_limits.uncount_tries(tries)
        raise

    def count_entry(dn: str) -> None:
        """Count the try for the entry of the directory, too, which people may find by several names."""
        more = {key: limit for key, limit in tries_of_entry(rate_limit.account_key(dn)).items() if key not in tries}
        sign_in_limits.count_tries(more)
        tries.update(more)

    if not ldap_operators.asks(operator):
        return operator if fits else None, checked
    with suppress(LdapAway):  # Refused like a wrong password: else it would show which names are local.
        return ldap_operators.admitted(name, password, count_entry), ""
    return None, ""


def _open(operator: Operator, checked: str | None, address: str) -> str | None:
    """Open a session; return None when the operator may not sign in, or got another password during the check."""
    key, hashed = new_key()
    with transaction(), audit.acting(audit.Actor(operator.name, address, audit.current_actor().request_id)):
        if not _lock_unchanged(operator.id, checked):
            return None
        values = {"operator_id": operator.id, "address": address[:64], "confirmed_at": database_now()}
        # Read once its row is locked: a second factor may have been set up meanwhile.
        pending = db.session.get_one(Operator, operator.id, populate_existing=True).totp_encrypted is not None
        if not pending:
            complete_sign_in(operator)
        db.session.add(OperatorSession(key_sha256=hashed, factor_pending=pending, **values))
    return key


def complete_sign_in(operator: Operator) -> None:
    """Record a sign-in, and end the oldest sessions over the limit, within the caller's transaction."""
    newest = select(OperatorSession.id).where(OperatorSession.operator_id == operator.id, *IS_OPEN)
    left_over = newest.order_by(OperatorSession.id.desc()).offset(current_app.config["SESSIONS_PER_OPERATOR"] - 1)
    if changed_rows(delete(OperatorSession).where(OperatorSession.id.in_(left_over))):
        audit.record("sign_out.oldest", subject=operator.name)
    audit.record("sign_in", subject=operator.name)


def _lock_unchanged(operator_id: int, checked: str | None) -> bool:
    """Lock the operator's row; return True when the checked password is still valid and the operator may sign in.

    The lock waits for a change that is being made, and a later change waits for this transaction.
    """
    unchanged = (Operator.id == operator_id, Operator.password_hash == checked, Operator.is_active)
    return changed_rows(update(Operator).where(*unchanged).values(is_active=True)) == 1


def find(key: str) -> SignedIn | None:
    """Return the open session with this key, or None; an expired session is not open."""
    row = db.session.execute(OPEN, {"key_sha256": _hash(key)}).first()
    if row is None:
        return None
    session, operator, confirmed = row
    return SignedIn(
        session.id,
        operator.id,
        operator.name,
        operator.role,
        operator.must_change_password,
        operator.device_generation,
        bool(confirmed),
        operator.totp_encrypted is None and operator.role in current_app.config["SECOND_FACTOR_ROLES"],
        not operator.directory,
        operator.employees_view,
    )


def find_pending(key: str) -> OperatorSession | None:
    """Return the session with this key that waits for the second factor, with its operator, or None."""
    lately = OperatorSession.started_at > database_now(-FACTOR_SECONDS)
    waiting = (OperatorSession.key_sha256 == _hash(key), OperatorSession.factor_pending, Operator.is_active, lately)
    return db.session.execute(
        select(OperatorSession).join(Operator).where(*waiting), execution_options={"populate_existing": True}
    ).scalar_one_or_none()


def touch(session_id: int) -> None:
    """Write that the operator did something: the idle limit counts from now."""
    every = min(SEEN_EVERY_SECONDS, current_app.config["SESSION_IDLE"] / 4)
    # Read first: in SQLite even an UPDATE that changes nothing waits for other writers.
    if db.session.execute(STALE, {"session_id": session_id, "since": -every}).first():
        stale = (OperatorSession.id == session_id, OperatorSession.seen_at < database_now(-every))
        with no_space.ignored(), transaction():
            changed_rows(update(OperatorSession).where(*stale).values(seen_at=database_now()))


def confirm(signed_in: SignedIn, password: str) -> None:
    """Check the operator's own password again, and write in the session that it was right.

    :raises PasswordWrong: :raises TooOften: :raises PasswordsBusy:
    """
    checked = refuse_wrong_password(signed_in, password)
    statement = update(OperatorSession).where(OperatorSession.id == signed_in.session_id)
    with transaction():
        if not _lock_unchanged(signed_in.operator_id, checked):
            raise PasswordWrong
        changed_rows(statement.values(confirmed_at=database_now()))


def refuse_wrong_password(signed_in: SignedIn, password: str) -> str:
    """Check the password of an operator who is signed in, and return its hash.

    Tries are limited, so that an open session is no way to guess the password. They are counted for this session alone,
    so that nobody else can use them up.

    :raises PasswordWrong: :raises TooOften: :raises PasswordsBusy: :raises LdapAway:
    """
    operator = db.session.get_one(Operator, signed_in.operator_id, populate_existing=True)
    tries = {f"session:{signed_in.session_id}": sign_in_limits.CONFIRMATIONS}
    sign_in_limits.count_tries(tries)
    checked = operator.password_hash
    try:
        if operator.directory:
            admitted = ldap_operators.admitted(operator.name, password, lambda _dn: None)
            fits = admitted is not None and admitted.id == operator.id
        else:
            fits = passwords.fits(password, checked)
    except (LdapAway, PasswordsBusy):
        sign_in_limits.uncount_tries(tries)
        raise
    if not fits:
        audit.record_alone("confirmation.refused", subject=operator.name)
        raise PasswordWrong
    return checked


def sign_out(signed_in: SignedIn) -> None:
    """End the session of this browser."""
    with transaction():
        db.session.execute(delete(OperatorSession).where(OperatorSession.id == signed_in.session_id))
        audit.record("sign_out", subject=signed_in.name)


def end_own(signed_in: SignedIn, session_id: int) -> None:
    """End one of the operator's own sessions, such as one left open on another computer."""
    is_own = (OperatorSession.id == session_id, OperatorSession.operator_id == signed_in.operator_id)
    with transaction():
        if changed_rows(delete(OperatorSession).where(*is_own)):
            audit.record("sign_out.elsewhere", subject=signed_in.name)


def sign_out_everywhere(signed_in: SignedIn) -> None:
    """End all sessions of an operator."""
    with transaction():
        end_all(signed_in.operator_id)
        audit.record("sign_out.everywhere", subject=signed_in.name)


def end_all(operator_id: int, keep: int | None = None) -> int:
    """End all sessions of an operator and make all devices unknown, within the caller's transaction.

    :param keep: id of a session that stays open; its password has to be confirmed again.
    :return: how many sessions are left: 1 when the one to keep is open, else 0.
    """
    new_generation = update(Operator).where(Operator.id == operator_id)
    changed_rows(new_generation.values(device_generation=Operator.device_generation + 1))
    is_own = OperatorSession.operator_id == operator_id
    changed_rows(delete(OperatorSession).where(is_own, OperatorSession.id != (keep or 0)))
    return changed_rows(update(OperatorSession).where(is_own).values(confirmed_at=None))


def renew_key(signed_in: SignedIn) -> str:
    """Give an open session a new key, as after a changed password, and return the key."""
    key, hashed = new_key()
    statement = update(OperatorSession).where(OperatorSession.id == signed_in.session_id)
    with transaction():
        changed_rows(statement.values(key_sha256=hashed))
    return key


def new_key() -> tuple[str, str]:
    """Return a new key for the cookie, and what the session's row has of it."""
    key = secrets.token_urlsafe(KEY_BYTES)
    return key, _hash(key)


def list_open(operator_id: int) -> list[OperatorSession]:
    """Return an operator's open sessions, the newest first."""
    own_sessions = select(OperatorSession).where(OperatorSession.operator_id == operator_id, *IS_OPEN)
    return list(db.session.execute(own_sessions.order_by(OperatorSession.id.desc())).scalars())


def last_sign_ins() -> dict[str, datetime]:
    """Return the time of each operator's last sign-in by name, as far back as the audit trail goes."""
    signed_in = select(AuditEntry.actor, func.max(AuditEntry.at)).where(AuditEntry.action == "sign_in")
    return {name: at for name, at in db.session.execute(signed_in.group_by(AuditEntry.actor))}


def delete_expired_sessions() -> None:
    """Delete the sessions whose time is over."""
    with transaction():
        db.session.execute(delete(OperatorSession).where(not_(and_(*WITHIN_LIMITS))))


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
