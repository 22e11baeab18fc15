"""What pages, lists and files show of an enrolment: its state (models/enrolment.py), or a detail of it, in one word.

`confirmed` alone is green. Programs get the state.
"""

from datetime import UTC, datetime, timedelta

from hikflask.codes.badges import NOT_SENT, OLD_FACE_THERE, PERSON_ONLY, TAKEN_THERE, UNCHECKED, WORKING
from hikflask.codes.refusals import FACE, type_of
from hikflask.models import Enrolment
from hikflask.models.enrolment import CONFIRMED, PENDING, REFUSED, WAITING
from hikflask.models.refusal import OLD_FACE
from hikflask.services.core.errors import NumberTakenThere

# What is due within this time counts as being done.
SOON = timedelta(seconds=1)
# What was tried, and is due for longer than this, is not being tried again: no worker runs, or others have their turn.
OVERDUE = timedelta(minutes=1)


def detail_of(enrolment: Enrolment) -> str:
    """Return the state, or what else is so in it: terminal not checked, in progress, the person alone, ID taken."""
    if enrolment.state == CONFIRMED:
        return CONFIRMED if enrolment.is_green else UNCHECKED
    if enrolment.state == WAITING:
        return WORKING if is_working(enrolment) else WAITING
    if enrolment.state != REFUSED:
        return enrolment.state
    # A face that stays opens doors.
    if enrolment.person == CONFIRMED and type_of(enrolment.refusal_code).cause != FACE:
        return PERSON_ONLY
    return TAKEN_THERE if enrolment.refusal_code == NumberTakenThere.code else REFUSED


def badge_of(enrolment: Enrolment, detail: str) -> str:
    """Return what a list says of this detail: the detail itself; of a missing face or person, why it is missing.

    A face is called refused only where the answer was about the face; of another reason, such as a missing right, it is
    said that there is no face, no more.
    """
    if detail == PERSON_ONLY and enrolment.refusal and OLD_FACE in enrolment.refusal["params"]:
        return OLD_FACE_THERE
    badge = type_of(enrolment.refusal_code).badge if enrolment.refusal_code else ""
    lacks_face = detail == PERSON_ONLY and enrolment.photo_id is not None
    lacks_person = detail == REFUSED and enrolment.person == PENDING
    if badge == NOT_SENT and (lacks_face or lacks_person):
        was_sent = enrolment.face_unverified if lacks_face else enrolment.name_there
        return WAITING if was_sent else NOT_SENT
    return badge or detail if lacks_face and enrolment.face == REFUSED else detail


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
    ahead = due - datetime.now(UTC)
    if enrolment.tried_at and ahead < -OVERDUE:
        return False
    # What is confirmed may be proven once more in some minutes.
    return ahead <= SOON or not (enrolment.refusal_code or enrolment.is_confirmed)
