"""Sessions of operators: opened by name and password, kept in the database, ended by time, by choice or for everybody.

The cookie holds a random key and the row its SHA-256, so a copy of the database opens nothing.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import delete, func, select, update

from hikflask.extensions import db
from hikflask.models import AuditEntry, Operator, OperatorSession
from hikflask.models.columns import database_now
from hikflask.models.employee import folded
from hikflask.services import audit, passwords, statements, throttling
from hikflask.services.admission_errors import PasswordWrong, SignInRefused, TooOften

KEY_BYTES = 32
WINDOW_SECONDS = 900.0
TRIES_BY_ACCOUNT = 10
TRIES_BY_ADDRESS = 30
# A row is not written at each request; limits of minutes need no better.
SEEN_EVERY_SECONDS = 60.0
CONFIRMED_SECONDS = 600.0


@dataclass(frozen=True)
class SignedIn:
    """An open session and whose it is; `confirmed`: the password was asked for again a moment ago."""

    session_id: int
    operator_id: int
    name: str
    role: str
    must_change_password: bool
    confirmed: bool


def sign_in(name: str, password: str, address: str) -> str:
    """Open a session and return its key. Whoever is wrong hears the same, after the same time.

    :raises SignInRefused: unknown name, wrong password, or somebody who is kept out.
    :raises TooOften: after too many tries for this account or from this address (params: seconds).
    """
    account, place = throttling.account(folded(name)), f"address:{throttling.place(address)}"
    operator = db.session.execute(select(Operator).where(Operator.login == folded(name))).scalar_one_or_none()
    db.session.commit()
    # A name that nobody has may be a password in the wrong field: the audit trail does not keep it.
    known = operator.name if operator else ""
    _count(account, place, known)
    checked = operator.password_hash if operator else None
    fits = passwords.fits(password, checked)
    key = _opened(operator, checked, address) if operator and fits else None
    if key is None:
        audit.note_alone("sign_in.refused", subject=known)
        raise SignInRefused
    throttling.forget(account)
    throttling.give_back(place)
    return key


def _count(account: str, place: str, known: str) -> None:
    try:
        throttling.take(place, TRIES_BY_ADDRESS, WINDOW_SECONDS)
        throttling.take(account, TRIES_BY_ACCOUNT, WINDOW_SECONDS)
    except TooOften as error:
        # Once in a window: whoever goes on must not fill the audit trail.
        if error.params["first"]:
            audit.note_alone("sign_in.throttled", subject=known)
        raise


def _opened(operator: Operator, checked: str | None, address: str) -> str | None:
    """Open a session, unless its owner is kept out or the password was replaced while it was checked.

    The statement waits for a change that is under way, and a change that comes next ends this session, too.
    """
    unchanged = (Operator.id == operator.id, Operator.password_hash == checked, Operator.is_active)
    if statements.changed_rows(update(Operator).where(*unchanged).values(is_active=True)) != 1:
        db.session.rollback()
        return None
    key = secrets.token_urlsafe(KEY_BYTES)
    db.session.add(OperatorSession(key_sha256=_hash(key), operator_id=operator.id, address=address[:64]))
    with audit.acting(audit.Actor(operator.name, address, audit.present_actor().request_id)):
        audit.note("sign_in", subject=operator.name)
        db.session.commit()
    return key


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
        session.id, operator.id, operator.name, operator.role, operator.must_change_password, bool(confirmed)
    )


def touch(session_id: int) -> None:
    """Note that a person did something: the idle limit counts from now."""
    every = min(SEEN_EVERY_SECONDS, current_app.config["SESSION_IDLE"] / 4)
    stale = (OperatorSession.id == session_id, OperatorSession.seen_at < database_now(-every))
    # Asked first: in SQLite even an UPDATE of no row waits for whoever writes.
    if db.session.execute(select(OperatorSession.id).where(*stale)).first():
        statements.changed_rows(update(OperatorSession).where(*stale).values(seen_at=database_now()))
    db.session.commit()


def confirm(signed_in: SignedIn, password: str) -> None:
    """Note that the operator's own password was asked for again and was right.

    :raises PasswordWrong: :raises TooOften: tries count as those of signing in do.
    """
    refuse_wrong_password(signed_in, password)
    statement = update(OperatorSession).where(OperatorSession.id == signed_in.session_id)
    statements.changed_rows(statement.values(confirmed_at=database_now()))
    db.session.commit()


def refuse_wrong_password(signed_in: SignedIn, password: str) -> None:
    """Check the password of somebody who is signed in; an open session is no way to guess it.

    :raises PasswordWrong: :raises TooOften:
    """
    operator = db.session.get_one(Operator, signed_in.operator_id)
    account = throttling.account(operator.login)
    throttling.take(account, TRIES_BY_ACCOUNT, WINDOW_SECONDS)
    if not passwords.fits(password, operator.password_hash):
        audit.note_alone("confirmation.refused", subject=operator.name)
        raise PasswordWrong
    throttling.forget(account)


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
    if statements.changed_rows(mine):
        audit.note("sign_out.elsewhere", subject=signed_in.name)
    db.session.commit()


def sign_out_everywhere(signed_in: SignedIn) -> None:
    """End all sessions of an operator."""
    db.session.execute(delete(OperatorSession).where(OperatorSession.operator_id == signed_in.operator_id))
    audit.note("sign_out.everywhere", subject=signed_in.name)
    db.session.commit()


def renewed(signed_in: SignedIn) -> str:
    """Give an open session another key, as after a changed password; return it."""
    key = secrets.token_urlsafe(KEY_BYTES)
    statement = update(OperatorSession).where(OperatorSession.id == signed_in.session_id)
    statements.changed_rows(statement.values(key_sha256=_hash(key)))
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


def forget_ended() -> None:
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
