"""Writes a failed attempt to its row, and when to retry it."""

from typing import Any

from flask import current_app
from sqlalchemy import select

from hikflask.isapi.errors import AccountLocked, AddressRefused, CertificateChanged, NoAnswer, TerminalError
from hikflask.models import Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT, REFUSED
from hikflask.models.refusal import Refusal
from hikflask.services.core.db import transactional
from hikflask.services.core.errors import (
    LeaseLost,
    LoginStopped,
    NotComparedSinceRestore,
    NumberTakenThere,
    ServiceError,
    TerminalInUse,
    TerminalRetired,
    refusal_of,
)
from hikflask.services.enrolments import queries, schedule
from hikflask.services.enrolments.attempt import Attempt
from hikflask.services.state import enrolment as state

SOON_SECONDS = 3.0


def write(attempt: Attempt, error: TerminalError | ServiceError) -> None:
    """Write, still under the lease, why an attempt failed and when to retry.

    What was confirmed and not contradicted stays confirmed. A refusal that the attempt itself wrote stays, too.
    """
    row = attempt.row
    if isinstance(error, NoAnswer):
        attempt.keep_late()
    if attempt.is_proven or row.is_confirmed or row.next_attempt_at is None:
        attempt.write(state.ENDED)
    elif isinstance(error, TerminalError) and error.stops:
        # After a refused login there is no automatic retry before the lock ends or the terminal works again. An address
        # and a certificate are checked before anything is sent, so these errors are retried after RETRY_MAX seconds.
        seconds = error.unlock_seconds if isinstance(error, AccountLocked) else None
        if isinstance(error, (AddressRefused, CertificateChanged)):
            seconds = current_app.config["RETRY_MAX"]
        due = None if seconds is None else database_now(seconds)
        attempt.write(state.STOPPED, next_attempt_at=due, refusal=_reason(row, error))
    # Where somebody else has the number, a person must decide, which another attempt would only hide. The attempt of
    # that decision sees to an unverified face first. Nothing is given up before what may come late has come.
    elif (
        error.retryable
        or row.desired == ABSENT
        or ((row.face_unverified or attempt.is_late) and not isinstance(error, NumberTakenThere))
    ):
        waits = error.code == state.REMOVAL_ASKED_AGAIN or (attempt.is_late and not error.retryable)
        later = attempt.late_until if waits else database_now(schedule.back_off(row.attempts))
        attempt.write(state.RESCHEDULED, next_attempt_at=later, refusal=_reason(row, error))
    else:
        person = REFUSED if attempt.step in {"", "person"} else row.person
        attempt.write(state.GIVEN_UP, person=person, refusal=refusal_of(error))


@transactional
def postpone(
    enrolment_id: int, error: TerminalInUse | TerminalRetired | NotComparedSinceRestore | LeaseLost | LoginStopped
) -> None:
    """Write when to retry if the terminal could not be talked to.

    The lease's current holder may finish this same row; then nothing is left to postpone.
    """
    row = queries.get(enrolment_id)
    if row is None:
        return
    same = (Enrolment.id == row.id, Enrolment.generation == row.generation)
    later: Any = database_now(SOON_SECONDS)
    if isinstance(error, LoginStopped):
        later = select(Terminal.unlock_at).where(Terminal.id == row.terminal_id).scalar_subquery()
    elif isinstance(error, TerminalRetired):
        later = None
    if isinstance(error, (TerminalInUse, LeaseLost)):
        between = state.POSTPONED_BETWEEN_STEPS if isinstance(error, LeaseLost) else state.POSTPONED
        state.apply(between, *same, next_attempt_at=later)
    else:
        state.apply(state.POSTPONED_FOR, *same, next_attempt_at=later, refusal=_reason(row, error))


def _reason(row: Enrolment, error: TerminalError | ServiceError) -> Refusal | None:
    """Return the refusal to write. A refused face keeps its own, and a confirmed row has none."""
    if row.is_confirmed or row.face == REFUSED:
        return row.refusal
    # The minutes of a lock pass while the row stays as it is.
    return Refusal(code=error.code, params={}) if isinstance(error, LoginStopped) else refusal_of(error)
