"""The state of an enrolment in one word, as pages, lists and files show it. `confirmed` alone is green."""

from datetime import UTC, datetime, timedelta

from hikflask.models import Enrolment
from hikflask.models.enrolment import ABSENT, CONFIRMED
from hikflask.services.core.errors import NumberTakenThere

CONFIRMED_STATE = "confirmed"
WORKING = "working"
WAITING = "waiting"
TAKEN_THERE = "taken"
PERSON_ONLY = "person_only"
NOT_THERE = "refused"
REMOVAL_OPEN = "removal"
GONE = "gone"
UNCHECKED = "unchecked"
FACE_REFUSED = "face_refused"
# What is due within this time counts as being done.
SOON = timedelta(seconds=1)


def state_of(enrolment: Enrolment) -> str:
    """Return the state in a word."""
    if enrolment.desired == ABSENT:
        return GONE if enrolment.is_confirmed else REMOVAL_OPEN
    if enrolment.is_confirmed:
        return CONFIRMED_STATE if enrolment.is_green else UNCHECKED
    return WORKING if is_working(enrolment) else _resting_state(enrolment)


def badge_of(enrolment: Enrolment, state: str) -> str:
    """Return what a list says of this state: the state itself; of a person alone, whether the face was refused."""
    return FACE_REFUSED if state == PERSON_ONLY and enrolment.photo_id is not None else state


def is_working(enrolment: Enrolment) -> bool:
    """Tell whether an attempt is being made, or will be at once, since the terminal is not known to be off."""
    if enrolment.step:
        return True
    due = enrolment.next_attempt_at
    if due is None:
        return False
    quiet = enrolment.terminal.backoff_until
    if quiet and quiet > datetime.now(UTC):
        return False
    return not enrolment.refusal_code or due <= datetime.now(UTC) + SOON


def _resting_state(enrolment: Enrolment) -> str:
    if enrolment.next_attempt_at is not None:
        return WAITING
    if enrolment.person == CONFIRMED:
        return PERSON_ONLY
    return TAKEN_THERE if enrolment.refusal_code == NumberTakenThere.code else NOT_THERE
