"""How a failed attempt is written to its row, and when it is tried again by itself."""

from typing import Any

from flask import current_app
from sqlalchemy import select

from hikflask.extensions import db
from hikflask.isapi.errors import AccountLocked, AddressRefused, CertificateChanged, TerminalError
from hikflask.models import Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT, REFUSED
from hikflask.services.core.errors import LeaseLost, LoginStopped, ServiceError, TerminalInUse, TerminalRetired
from hikflask.services.enrolments import queries, schedule
from hikflask.services.enrolments.attempt import Attempt
from hikflask.services.state import enrolment as state

SOON_SECONDS = 3.0


def write(attempt: Attempt, error: TerminalError | ServiceError) -> None:
    """Write why an attempt failed, while the terminal is still held, and when it is tried again.

    What was confirmed and not contradicted stays so; a refusal that the attempt wrote itself stays, too.
    """
    row = attempt.row
    if row.is_confirmed or row.next_attempt_at is None:
        attempt.write(state.ENDED)
    elif isinstance(error, TerminalError) and error.stops:
        attempt.write(state.STOPPED, next_attempt_at=_after_stop(error), **_reason(row, error))
    elif error.retryable or row.face_unverified or row.desired == ABSENT:
        later = database_now(schedule.back_off(row.attempts))
        attempt.write(state.WAITING, next_attempt_at=later, **_reason(row, error))
    else:
        person = REFUSED if row.step in {"", "person"} else row.person
        attempt.write(state.GIVEN_UP, person=person, **_words(error))


def postpone(enrolment_id: int, error: TerminalInUse | TerminalRetired | LeaseLost | LoginStopped) -> None:
    """Write when to come back, where the terminal was not ours to talk to.

    Its present holder may be doing the same for this very row: then nothing is left to postpone.
    """
    db.session.rollback()
    row = queries.get(enrolment_id)
    if row is None:
        return
    same = (Enrolment.id == row.id, Enrolment.generation == row.generation)
    soon = database_now(SOON_SECONDS)
    if isinstance(error, LoginStopped):
        unlock_at = select(Terminal.unlock_at).where(Terminal.id == row.terminal_id).scalar_subquery()
        state.apply(state.POSTPONED_FOR, *same, next_attempt_at=unlock_at, **_reason(row, error))
    elif isinstance(error, TerminalRetired):
        state.apply(state.POSTPONED_FOR, *same, next_attempt_at=None, **_reason(row, error))
    elif isinstance(error, LeaseLost):
        state.apply(state.POSTPONED_BETWEEN_STEPS, *same, next_attempt_at=soon)
    else:
        state.apply(state.POSTPONED, *same, next_attempt_at=soon)
    db.session.commit()


def _reason(row: Enrolment, error: TerminalError | ServiceError) -> dict[str, str]:
    """Why it waits; a face that was refused for good keeps its own reason, and what is confirmed has none."""
    if row.is_confirmed or row.face == REFUSED:
        return {"refusal_code": row.refusal_code, "refusal_text": row.refusal_text}
    return _words(error)


def _words(error: TerminalError | ServiceError) -> dict[str, str]:
    text = error.text if isinstance(error, TerminalError) else str(error.params.get("name", ""))
    return {"refusal_code": error.code[:64], "refusal_text": text[:255]}


def _after_stop(error: TerminalError) -> Any:
    """After a refused login nothing is tried by itself, before a lock ends or the terminal is well again.

    The others are tried now and then: a stranger's certificate is seen, and an address judged, before anything is sent.
    """
    if isinstance(error, (AddressRefused, CertificateChanged)):
        return database_now(current_app.config["RETRY_MAX"])
    seconds = error.unlock_seconds if isinstance(error, AccountLocked) else None
    return None if seconds is None else database_now(seconds)
