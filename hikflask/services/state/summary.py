"""The state of an enrolment in one word, as pages, lists and files show it. `confirmed` alone is green."""

from datetime import UTC, datetime, timedelta

from hikflask.isapi.errors import CLASSES, STOP_CODES, Full, Gone, NotSupported, PictureLost
from hikflask.models import Enrolment
from hikflask.models.enrolment import ABSENT, CONFIRMED, PENDING, REFUSED
from hikflask.services.core.errors import (
    CaptureLost,
    CaptureSuperseded,
    NotComparedSinceRestore,
    NumberTakenThere,
    PhotoForgotten,
    TerminalRetired,
)
from hikflask.services.state.enrolment import FILES_NOT_TAKEN, NOT_RESTORED, OTHER_TERMINAL

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
NO_PHOTO_THERE = "no_photo_there"
CAPTURE_AGAIN = "capture_again"
NOT_SENT = "not_sent"
# Nothing was sent to the terminal for these reasons.
NOT_ASKED = STOP_CODES | {TerminalRetired.code, NotComparedSinceRestore.code, NOT_RESTORED}
# Why there is no face on a terminal that did not refuse it, by the refusal code in lower case.
NOT_REFUSED = {
    **dict.fromkeys((FILES_NOT_TAKEN, OTHER_TERMINAL, NotSupported.own_code), NO_PHOTO_THERE),
    **dict.fromkeys((CaptureSuperseded.code, CaptureLost.code, PhotoForgotten.code, Gone.own_code), CAPTURE_AGAIN),
    **{code: CAPTURE_AGAIN for code, kind in CLASSES.items() if kind is PictureLost},
    **{code: PERSON_ONLY for code, kind in CLASSES.items() if kind is Full},
}
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
    """Return what a list says of this state: the state itself; of a missing face or person, why it is missing."""
    lacks_face = state == PERSON_ONLY and enrolment.photo_id is not None
    if lacks_face and enrolment.face == REFUSED:
        return NOT_REFUSED.get(enrolment.refusal_code.lower(), FACE_REFUSED)
    lacks_person = state == NOT_THERE and enrolment.person == PENDING
    if (lacks_face or lacks_person) and enrolment.refusal_code in NOT_ASKED:
        was_sent = enrolment.face_unverified if lacks_face else enrolment.name_there
        return WAITING if was_sent else NOT_SENT
    return state


def is_working(enrolment: Enrolment) -> bool:
    """Tell whether an attempt is being made, or will be at once: the terminal is not off, and took the password."""
    if enrolment.step:
        return True
    due = enrolment.next_attempt_at
    if due is None:
        return False
    terminal = enrolment.terminal
    if terminal.refused_since or (terminal.backoff_until and terminal.backoff_until > datetime.now(UTC)):
        return False
    return not enrolment.refusal_code or due <= datetime.now(UTC) + SOON


def _resting_state(enrolment: Enrolment) -> str:
    if enrolment.next_attempt_at is not None:
        return WAITING
    if enrolment.person == CONFIRMED:
        return PERSON_ONLY
    return TAKEN_THERE if enrolment.refusal_code == NumberTakenThere.code else NOT_THERE
