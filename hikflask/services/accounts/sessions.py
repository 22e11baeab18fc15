"""Sessions of operators: opened by name and password, kept in the database, ended by time, by choice or for everybody.

The cookie holds a random key and the row its SHA-256, so a copy of the database opens nothing.
"""

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import delete, func, select, update

from hikflask.extensions import db
from hikflask.models import AuditEntry, Operator, OperatorSession
from hikflask.models.columns import database_now
from hikflask.models.employee import folded
from hikflask.services import audit
from hikflask.services.accounts import known_devices, passwords, rate_limit
from hikflask.services.accounts.errors import PasswordsBusy, PasswordWrong, SignInRefused, TooOften
from hikflask.services.core.db import changed_rows

KEY_BYTES = 32
WINDOW_SECONDS = 900.0
# Wrong passwords: of one account from one address, from all strange devices, from a device that was in before.
TRIES_BY_PLACE, TRIES_BY_ACCOUNT, TRIES_BY_DEVICE = 10, 20, 10
TRIES_BY_ADDRESS = 30
# Right ones of one account from one address: no person needs more, a script would go on for ever.
SIGN_INS = 60
# Right or wrong: what is asked for holds for ten minutes.
CONFIRMATIONS = 10
# A row is not written at each request; limits of minutes need no better.
SEEN_EVERY_SECONDS = 60.0
CONFIRMED_SECONDS = 600.0


@dataclass(frozen=True)
class SignedIn:
    """An open session and whose it is; `confirmed`: the password was asked for again a moment ago.

    `device_generation`: what a device remembers that this account was signed in on; see devices.py.
    """

    session_id: int
    operator_id: int
    name: str
    role: str
    must_change_password: bool
    device_generation: int
    confirmed: bool


def sign_in(name: str, password: str, address: str, device: str = "") -> str:
    """Open a session and return its key. Whoever is wrong hears the same, after the same time.

    :param device: what the browser shows of the accounts that were signed in there before; see devices.py.
    :raises SignInRefused: unknown name, wrong password, or somebody who is kept out.
    :raises TooOften: after too many tries or sign-ins (params: seconds). :raises PasswordsBusy:
    """
    operator = db.session.execute(select(Operator).where(Operator.login == folded(name))).scalar_one_or_none()
    db.session.commit()
    account, place = rate_limit.account(folded(name)), rate_limit.place(address)
    good, tries = (
        f"signed-in:{rate_limit.at(account, place)}",
        _tries(account, place, known_devices.mark(device, operator)),
    )
    # A name that nobody has may be a password in the wrong field: the audit trail does not keep it.
    known = operator.name if operator else ""
    with _noting(known):
        rate_limit.refuse_spent(good, SIGN_INS, WINDOW_SECONDS)
        _take(tries)
        checked = operator.password_hash if operator else None
        fits = _fits(password, checked, tries)
        if operator and fits:
            rate_limit.take(good, SIGN_INS, WINDOW_SECONDS)
    key = _opened(operator, checked, address) if operator and fits else None
    if key is None:
        audit.note_alone("sign_in.refused", subject=known)
        raise SignInRefused
    _give_back(tries)
    return key


def _tries(account: str, place: str, mark: str | None) -> dict[str, int]:
    """Return what a try is counted by, with its limit: a device that was in before is no stranger's to close."""
    if mark:
        return {f"device:{mark}": TRIES_BY_DEVICE}
    return {
        f"address:{place}": TRIES_BY_ADDRESS,
        rate_limit.at(account, place): TRIES_BY_PLACE,
        account: TRIES_BY_ACCOUNT,
    }


def _take(tries: Mapping[str, int]) -> None:
    for key, limit in tries.items():
        rate_limit.take(key, limit, WINDOW_SECONDS)


def _give_back(tries: Iterable[str]) -> None:
    for key in tries:
        rate_limit.give_back(key)


@contextmanager
def _noting(known: str) -> Iterator[None]:
    try:
        yield
    except TooOften as error:
        # Once in a window: whoever goes on must not fill the audit trail.
        if error.params["first"]:
            audit.note_alone("sign_in.throttled", subject=known)
        raise


def _fits(password: str, checked: str | None, tries: Iterable[str]) -> bool:
    """True when the password is right; a try that nobody had time for was none."""
    try:
        return passwords.fits(password, checked)
    except PasswordsBusy:
        _give_back(tries)
        raise


def _opened(operator: Operator, checked: str | None, address: str) -> str | None:
    """Open a session, unless its owner is kept out or the password was replaced while it was checked."""
    if not _holds(operator.id, checked):
        return None
    key = secrets.token_urlsafe(KEY_BYTES)
    with audit.acting(audit.Actor(operator.name, address, audit.present_actor().request_id)):
        _end_oldest(operator)
        db.session.add(OperatorSession(key_sha256=_hash(key), operator_id=operator.id, address=address[:64]))
        audit.note("sign_in", subject=operator.name)
        db.session.commit()
    return key


def _holds(operator_id: int, checked: str | None) -> bool:
    """True, in an open transaction, when the password that was checked still holds and its owner may come in.

    The statement waits for a change that is under way, and one that comes next finds what this transaction did.
    """
    same = (Operator.id == operator_id, Operator.password_hash == checked, Operator.is_active)
    if changed_rows(update(Operator).where(*same).values(is_active=True)) == 1:
        return True
    db.session.rollback()
    return False


def _end_oldest(operator: Operator) -> None:
    """Make room for one more session of this operator."""
    newest = select(OperatorSession.id).where(OperatorSession.operator_id == operator.id, *_within_limits())
    left_over = newest.order_by(OperatorSession.id.desc()).offset(current_app.config["SESSIONS_PER_OPERATOR"] - 1)
    if changed_rows(delete(OperatorSession).where(OperatorSession.id.in_(left_over))):
        audit.note("sign_out.oldest", subject=operator.name)


def find(key: str) -> SignedIn | None:
    """Return the open session of a key; one past its limits is none."""
    found = db.session.execute(
        select(OperatorSession, Operator, OperatorSession.confirmed_at > database_now(-CONFIRMED_SECONDS))
        .join(Operator)
        .where(OperatorSession.key_sha256 == _hash(key), Operator.is_active, *_within_limits()),
        execution_options={"populate_existing": True},
    ).first()
    db.session.commit()
    if found is None:
        return None
    session, operator, confirmed = found
    return SignedIn(
        session.id,
        operator.id,
        operator.name,
        operator.role,
        operator.must_change_password,
        operator.device_generation,
        bool(confirmed),
    )


def touch(session_id: int) -> None:
    """Note that a person did something: the idle limit counts from now."""
    every = min(SEEN_EVERY_SECONDS, current_app.config["SESSION_IDLE"] / 4)
    stale = (OperatorSession.id == session_id, OperatorSession.seen_at < database_now(-every))
    # Asked first: in SQLite even an UPDATE of no row waits for whoever writes.
    if db.session.execute(select(OperatorSession.id).where(*stale)).first():
        changed_rows(update(OperatorSession).where(*stale).values(seen_at=database_now()))
    db.session.commit()


def confirm(signed_in: SignedIn, password: str) -> None:
    """Note that the operator's own password was asked for again and was right.

    :raises PasswordWrong: :raises TooOften: :raises PasswordsBusy:
    """
    checked = refuse_wrong_password(signed_in, password)
    if not _holds(signed_in.operator_id, checked):
        raise PasswordWrong
    statement = update(OperatorSession).where(OperatorSession.id == signed_in.session_id)
    changed_rows(statement.values(confirmed_at=database_now()))
    db.session.commit()


def refuse_wrong_password(signed_in: SignedIn, password: str) -> str:
    """Check the password of somebody who is signed in, and return its hash.

    An open session is no way to guess it; its tries are its own, so that nobody else uses them up.

    :raises PasswordWrong: :raises TooOften: :raises PasswordsBusy:
    """
    operator = db.session.get_one(Operator, signed_in.operator_id, populate_existing=True)
    tries = {f"session:{signed_in.session_id}": CONFIRMATIONS}
    _take(tries)
    checked = operator.password_hash
    if not _fits(password, checked, tries):
        audit.note_alone("confirmation.refused", subject=operator.name)
        raise PasswordWrong
    return checked


def sign_out(signed_in: SignedIn) -> None:
    """End one session."""
    db.session.execute(delete(OperatorSession).where(OperatorSession.id == signed_in.session_id))
    audit.note("sign_out", subject=signed_in.name)
    db.session.commit()


def end(signed_in: SignedIn, session_id: int) -> None:
    """End one of the operator's own sessions, such as one left open at another desk."""
    mine = delete(OperatorSession).where(
        OperatorSession.id == session_id, OperatorSession.operator_id == signed_in.operator_id
    )
    if changed_rows(mine):
        audit.note("sign_out.elsewhere", subject=signed_in.name)
    db.session.commit()


def sign_out_everywhere(signed_in: SignedIn) -> None:
    """End all sessions of an operator."""
    end_all(signed_in.operator_id)
    audit.note("sign_out.everywhere", subject=signed_in.name)
    db.session.commit()


def end_all(operator_id: int, keep: int | None = None) -> int:
    """Within the caller's transaction, end all sessions of an operator and take no device for a known one any more.

    :param keep: the session that stays; that its password was confirmed a moment ago counts no more.
    :return: how many are left: one, when there was one to keep.
    """
    strangers = update(Operator).where(Operator.id == operator_id)
    changed_rows(strangers.values(device_generation=Operator.device_generation + 1))
    mine = OperatorSession.operator_id == operator_id
    changed_rows(delete(OperatorSession).where(mine, OperatorSession.id != (keep or 0)))
    return changed_rows(update(OperatorSession).where(mine).values(confirmed_at=None))


def renewed(signed_in: SignedIn) -> str:
    """Give an open session another key, as after a changed password; return it."""
    key = secrets.token_urlsafe(KEY_BYTES)
    statement = update(OperatorSession).where(OperatorSession.id == signed_in.session_id)
    changed_rows(statement.values(key_sha256=_hash(key)))
    db.session.commit()
    return key


def of(operator_id: int) -> list[OperatorSession]:
    """Return an operator's open sessions, the newest first."""
    mine = select(OperatorSession).where(OperatorSession.operator_id == operator_id, *_within_limits())
    found = list(db.session.execute(mine.order_by(OperatorSession.id.desc())).scalars())
    db.session.commit()
    return found


def last_sign_ins() -> dict[str, datetime]:
    """Return when each operator signed in last, by name, as far back as the audit trail goes."""
    signed_in = select(AuditEntry.actor, func.max(AuditEntry.at)).where(AuditEntry.action == "sign_in")
    found = {name: at for name, at in db.session.execute(signed_in.group_by(AuditEntry.actor))}
    db.session.commit()
    return found


def forget_ended_sessions() -> None:
    """Remove the sessions that are past their limits."""
    idle, started = _within_limits()
    db.session.execute(delete(OperatorSession).where(~idle | ~started))
    db.session.commit()


def _within_limits() -> tuple[Any, Any]:
    config = current_app.config
    return (
        OperatorSession.seen_at > database_now(-config["SESSION_IDLE"]),
        OperatorSession.started_at > database_now(-config["SESSION_LIFETIME"]),
    )


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
