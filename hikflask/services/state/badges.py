"""What pages, lists and files show of an enrolment: its state (models/enrolment.py), or a detail of it, in one word.

`confirmed` alone is green. Programs get the state.
"""

from datetime import UTC, datetime, timedelta

from hikflask.codes.badges import (
    CAPTURE_AGAIN,
    FACE_REFUSED,
    NO_PHOTO_THERE,
    NOT_SENT,
    OLD_FACE_THERE,
    PERSON_ONLY,
    TAKEN_THERE,
    UNCHECKED,
    WORKING,
)
from hikflask.isapi.errors import (
    CLASSES,
    OWN_WORD,
    STOP_CODES,
    FaceRefused,
    FileTooLarge,
    Gone,
    ModelingFailed,
    NotSupported,
    PictureLost,
    Refused,
    SameFace,
)
from hikflask.models import Enrolment
from hikflask.models.enrolment import CONFIRMED, PENDING, REFUSED, WAITING
from hikflask.models.refusal import OLD_FACE
from hikflask.services.core.errors import (
    CaptureSuperseded,
    NotComparedSinceRestore,
    NumberTakenThere,
    PhotoForgotten,
    TerminalRetired,
)
from hikflask.services.state.enrolment import FILES_NOT_TAKEN, NOT_RESTORED, OTHER_TERMINAL

# The terminal does not remove the face that it has: an earlier one, or one that may be the right one.
FACE_STAYS = ("old_face_stays", "face_not_shown")
# Nothing was sent to the terminal for these reasons.
NOT_ASKED = STOP_CODES | {TerminalRetired.code, NotComparedSinceRestore.code, NOT_RESTORED}
# Why there is no face on a terminal, and none is tried again, by the refusal code. A face is called refused only where
# the answer was about the face; of another reason, such as a missing right, it is said that there is no face, no more.
WHY_NO_FACE = {
    **dict.fromkeys((FILES_NOT_TAKEN, OTHER_TERMINAL, NotSupported.own_code), NO_PHOTO_THERE),
    **dict.fromkeys((CaptureSuperseded.code, "file_gone", PhotoForgotten.code, Gone.own_code), CAPTURE_AGAIN),
    **{code: CAPTURE_AGAIN for code, kind in CLASSES.items() if kind is PictureLost},
    **{
        code: FACE_REFUSED
        for code, kind in CLASSES.items()
        if issubclass(kind, (FaceRefused, FileTooLarge, ModelingFailed, SameFace))
    },
    Refused.own_code: FACE_REFUSED,
}
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
    if enrolment.person == CONFIRMED and enrolment.refusal_code not in FACE_STAYS:
        return PERSON_ONLY
    return TAKEN_THERE if enrolment.refusal_code == NumberTakenThere.code else REFUSED


def badge_of(enrolment: Enrolment, detail: str) -> str:
    """Return what a list says of this detail: the detail itself; of a missing face or person, why it is missing."""
    if detail == PERSON_ONLY and enrolment.refusal and OLD_FACE in enrolment.refusal["params"]:
        return OLD_FACE_THERE
    lacks_face = detail == PERSON_ONLY and enrolment.photo_id is not None
    if lacks_face and enrolment.face == REFUSED:
        code = enrolment.refusal_code
        return FACE_REFUSED if code.startswith((OWN_WORD, "http_")) else WHY_NO_FACE.get(code, PERSON_ONLY)
    lacks_person = detail == REFUSED and enrolment.person == PENDING
    if (lacks_face or lacks_person) and enrolment.refusal_code in NOT_ASKED:
        was_sent = enrolment.face_unverified if lacks_face else enrolment.name_there
        return WAITING if was_sent else NOT_SENT
    return detail


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
