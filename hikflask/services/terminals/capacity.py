"""How many more people and faces a terminal can hold, and which enrolments wait for that.

The counts are those of the last check, with what was added and removed since by our own conversations.
"""

from sqlalchemy import select

from hikflask.codes.refusals import FULL, codes
from hikflask.extensions import db
from hikflask.isapi.errors import CLASSES, FacesFull, Full
from hikflask.models import Enrolment, Terminal
from hikflask.models.enrolment import PRESENT
from hikflask.services.core.db import MAX_PARAMETERS
from hikflask.services.state import enrolment as state

# Of the people or of the faces that a terminal can hold.
NEARLY_FULL = 0.9
# How a terminal refuses who does not fit.
CODES = codes(cause=FULL)
CODES_OF_PEOPLE, CODES_OF_FACES = ([code for code in CODES if CLASSES[code] is kind] for kind in (Full, FacesFull))


def remaining(terminal: Terminal) -> tuple[int | None, int | None]:
    """Return how many more people and how many more faces fit on a terminal; None where it does not tell."""
    counts = (terminal.people, terminal.people_capacity), (terminal.faces, terminal.face_capacity)
    people, faces = (max(limit - count, 0) if count is not None and limit else None for count, limit in counts)
    return people, faces


def is_full_of_faces(terminal: Terminal) -> bool:
    """True when the terminal has no room for one more face."""
    return remaining(terminal)[1] == 0


def shares(terminal: Terminal) -> tuple[float, float]:
    """Return which share of a terminal's room the people and the faces take; 0 where unknown."""
    people = (terminal.people or 0) / (terminal.people_capacity or float("inf"))
    faces = (terminal.faces or 0) / (terminal.face_capacity or float("inf"))
    return people, faces


def is_nearly_full(terminal: Terminal) -> bool:
    """True when there are almost as many people or faces as the terminal can hold."""
    return max(shares(terminal)) >= NEARLY_FULL


def full_terminals() -> set[int]:
    """Return the ids of the terminals that refused somebody for lack of room, who waits for that still."""
    return set(db.session.execute(select(Enrolment.terminal_id).where(Enrolment.refusal_code.in_(CODES))).scalars())


def make_due(terminal_id: int, people: int | None, faces: int | None) -> None:
    """Make as many enrolments due that were refused for lack of room as there is room for, in the caller's transaction.

    :param people: for so many people. :param faces: for so many faces. None is not known, and makes nobody due.
    """
    for refusals, count in ((CODES_OF_PEOPLE, people), (CODES_OF_FACES, faces)):
        if count:
            refused = (Enrolment.terminal_id == terminal_id, Enrolment.refusal_code.in_(refusals))
            waiting = (*refused, Enrolment.desired == PRESENT, Enrolment.next_attempt_at.is_(None))
            # Who is being changed is left for the next check: a conversation that has locked one waits for no other.
            some = select(Enrolment.id).where(*waiting).order_by(Enrolment.id).limit(min(count, MAX_PARAMETERS))
            some = some.with_for_update(skip_locked=True, key_share=True)
            state.apply(state.ROOM_AGAIN, Enrolment.id.in_(db.session.execute(some).scalars().all()))


def make_due_after_removal(terminal: Terminal) -> None:
    """Make one enrolment due that was refused for lack of room, in the caller's transaction."""
    people, faces = (1 if left in {0, None} else None for left in remaining(terminal))
    make_due(terminal.id, people, faces)
