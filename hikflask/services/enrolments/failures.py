"""Why a wish was not done, written to its row, and when it is tried again by itself."""

from typing import Any

from flask import current_app
from sqlalchemy import select, update

from hikflask.extensions import db
from hikflask.isapi.errors import (
    AccountLocked,
    AddressRefused,
    CertificateChanged,
    LoginRefused,
    TerminalError,
    WeakDigest,
)
from hikflask.models import Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT, REFUSED
from hikflask.services.core.db import changed_rows
from hikflask.services.core.errors import LeaseLost, LoginStopped, ServiceError, TerminalInUse, TerminalRetired
from hikflask.services.enrolments import desired

SOON = 3.0
# Another request would bring the account nearer to its lock, or go to a stranger: nothing more is asked now.
STOPS = (LoginRefused, WeakDigest, AddressRefused, CertificateChanged)


def told(row: Enrolment, error: TerminalError | ServiceError) -> dict[str, Any]:
    """Return what a conversation writes about the error that ended it.

    What was confirmed and not contradicted stays so; a refusal that the conversation wrote itself stays, too.
    """
    if row.is_confirmed or row.next_attempt_at is None:
        return {"step": ""}
    if isinstance(error, STOPS):
        return {"step": "", **_reason(row, error), "next_attempt_at": _next_after_stop(error)}
    values = {"step": "", "attempts": row.attempts + 1}
    if _comes_again(row, error):
        return {**values, **_reason(row, error), "next_attempt_at": database_now(desired.pause(row.attempts))}
    person = REFUSED if row.step in {"", "person"} else row.person
    return {**values, **_words(error), "next_attempt_at": None, "person": person}


def put_off(enrolment_id: int, error: TerminalInUse | TerminalRetired | LeaseLost | LoginStopped) -> None:
    """Come back later, without the lease: whoever holds it may be doing this very wish, and may end it before this."""
    db.session.rollback()
    enrolment = desired.get(enrolment_id)
    if enrolment is None:
        return
    values: dict[str, Any] = {"next_attempt_at": database_now(SOON)}
    if isinstance(error, LoginStopped):
        unlock_at = select(Terminal.unlock_at).where(Terminal.id == enrolment.terminal_id).scalar_subquery()
        values = {**_reason(enrolment, error), "next_attempt_at": unlock_at}
    if isinstance(error, TerminalRetired):
        values = {**_reason(enrolment, error), "next_attempt_at": None}
    if isinstance(error, LeaseLost):
        values["step"] = ""
    open_still = update(Enrolment).where(
        Enrolment.id == enrolment.id,
        Enrolment.generation == enrolment.generation,
        Enrolment.next_attempt_at.is_not(None),
    )
    changed_rows(open_still.values(**values))
    db.session.commit()


def _comes_again(row: Enrolment, error: TerminalError | ServiceError) -> bool:
    return error.retryable or row.face_unverified or row.desired == ABSENT


def _reason(row: Enrolment, error: TerminalError | ServiceError) -> dict[str, Any]:
    """Why it waits; a face that was refused for good keeps its own reason, and what is confirmed has none."""
    return {} if row.is_confirmed or row.face == REFUSED else _words(error)


def _words(error: TerminalError | ServiceError) -> dict[str, Any]:
    text = error.text if isinstance(error, TerminalError) else str(error.params.get("name", ""))
    return {"refusal_code": error.code[:64], "refusal_text": text[:255]}


def _next_after_stop(error: TerminalError) -> Any:
    """After a refused password or login nothing is tried by itself, before a lock ends; see also waking.py.

    The others are tried now and then: a stranger's certificate is seen, and an address judged, before anything is sent.
    """
    if isinstance(error, (AddressRefused, CertificateChanged)):
        return database_now(current_app.config["RETRY_MAX"])
    seconds = error.unlock_seconds if isinstance(error, AccountLocked) else None
    return None if seconds is None else database_now(seconds)
