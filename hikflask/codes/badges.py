"""What pages, lists and files call the state of an enrolment, or a detail of it: one row for each word.

services/state/badges.py says which one an enrolment has.
"""

from dataclasses import dataclass

from hikflask.models.enrolment import CONFIRMED, LEAVING, REFUSED, REMOVED, WAITING
from hikflask.text_rules import N_

# Details: of confirmed, of waiting, and of refused.
UNCHECKED = "unchecked"
WORKING = "working"
TAKEN_THERE = "taken"
PERSON_ONLY = "person_only"
FACE_REFUSED = "face_refused"
NO_PHOTO_THERE = "no_photo_there"
CAPTURE_AGAIN = "capture_again"
NOT_SENT = "not_sent"
OLD_FACE_THERE = "old_face_there"
GOOD, WARN, BAD, NEUTRAL = "good", "warn", "bad", "none"


@dataclass(frozen=True)
class Badge:
    """The tone of dot() in _page.html, the icon, and the word."""

    tone: str
    icon: str
    word: str


# The worst comes first.
BADGES = {
    LEAVING: Badge(BAD, "warning", N_("may still open doors")),
    REFUSED: Badge(BAD, "cross", N_("refused")),
    OLD_FACE_THERE: Badge(BAD, "warning", N_("old face on the terminal")),
    FACE_REFUSED: Badge(BAD, "cross", N_("face refused")),
    TAKEN_THERE: Badge(BAD, "question", N_("ID taken")),
    CAPTURE_AGAIN: Badge(BAD, "snapshot", N_("take the photo again")),
    UNCHECKED: Badge(WARN, "clock", N_("terminal not checked")),
    PERSON_ONLY: Badge(WARN, "half", N_("no face")),
    NO_PHOTO_THERE: Badge(WARN, "photo-off", N_("no photo on the terminal")),
    NOT_SENT: Badge(WARN, "clock", N_("not sent yet")),
    WAITING: Badge(WARN, "clock", N_("waiting for the terminal")),
    WORKING: Badge(NEUTRAL, "working", N_("in progress")),
    REMOVED: Badge(NEUTRAL, "removed", N_("removed")),
    CONFIRMED: Badge(GOOD, "check", N_("confirmed")),
}
