"""Why an enrolment needs a person, as one word for all that the same action mends; and trying all of these again.

A cause is LEAVING (a removal that is not confirmed), or of a refused enrolment, which is tried no more: PHOTO, TAKEN,
CHANGED, LEFT_ALONE, FORM, FULL, FACE, or else the code of its refusal.
"""

from sqlalchemy import ColumnElement, and_, case, literal, select
from sqlalchemy.orm import joinedload

from hikflask.extensions import db
from hikflask.isapi.errors import CLASSES, IllegalNumber, NoRight
from hikflask.models import Employee, Enrolment, Terminal
from hikflask.models.enrolment import CONFIRMED, REFUSED
from hikflask.services import audit
from hikflask.services.core.db import lock_terminal, transactional
from hikflask.services.core.errors import NameTooLong, NumberTakenThere
from hikflask.services.state import enrolment as state
from hikflask.services.state.badges import FACE_STAYS, NOT_ASKED, WHY_NO_FACE
from hikflask.services.state.enrolment import CHANGED_SINCE_BACKUP, IS_LEAVING, ROWS
from hikflask.services.terminals import capacity, connection

LEAVING = "leaving"
# The terminal needs a photo that it takes.
PHOTO = "photo"
# Somebody else has the ID there.
TAKEN = "taken"
# The terminal shows something else than the restored backup.
CHANGED = "changed"
LEFT_ALONE = state.LEFT_ALONE
# The name or the ID must be typed otherwise.
FORM = "form"
FULL = "full"
# The face there must be removed at the terminal.
FACE = "face"
FORM_CODES = (NameTooLong.code, IllegalNumber.own_code, "notsupportcharacter")
# Neither was ever sent, or the terminal's account lacks the right: no photo helps.
NO_PHOTO_HELPS = (*NOT_ASKED, *(code for code, kind in CLASSES.items() if kind is NoRight))
# A removal that asks a person whose record it is.
ASKS_WHOSE = (NumberTakenThere.code, "holder_not_shown")

IS_REFUSED = state.is_in(REFUSED)
# Of other codes, a person who is there needs a photo.
BY_CODE = {
    **dict.fromkeys(WHY_NO_FACE, PHOTO),
    **{code: code for code in NO_PHOTO_HELPS},
    **dict.fromkeys(FORM_CODES, FORM),
    **dict.fromkeys(capacity.CODES, FULL),
    **dict.fromkeys(FACE_STAYS, FACE),
    NumberTakenThere.code: TAKEN,
    CHANGED_SINCE_BACKUP: CHANGED,
    LEFT_ALONE: LEFT_ALONE,
}
# Along the index ix_enrolment_listed_at.
ORDER = (Enrolment.changed_at, Enrolment.id)
WITH_PHOTO = joinedload(Enrolment.employee).joinedload(Employee.photo)


def of(person: str, code: str) -> str:
    """Return the cause of a refused enrolment, from `person` and the code of its refusal."""
    return BY_CODE.get(code, PHOTO if person == CONFIRMED else code)


def column_of(person: ColumnElement[str], code: ColumnElement[str]) -> ColumnElement[str]:
    """Return the same as a column."""
    return case(BY_CODE, value=code, else_=case((person == CONFIRMED, PHOTO), else_=code))


CAUSE = column_of(ROWS.c.person, state.REFUSAL_CODE)


def is_of(cause: str) -> ColumnElement[bool]:
    """Return the condition on Enrolment for a cause."""
    return IS_LEAVING if cause == LEAVING else and_(IS_REFUSED, literal(cause) == CAUSE)


def everybody(cause: str, terminal_id: int, limit: int) -> list[Enrolment]:
    """Return the first enrolments of a cause at a terminal, those that have been so for longest, with employees."""
    rows = select(Enrolment).where(Enrolment.terminal_id == terminal_id, is_of(cause)).order_by(*ORDER).limit(limit)
    return list(db.session.execute(rows.options(WITH_PHOTO), execution_options={"populate_existing": True}).scalars())


@transactional
def retry_all(cause: str, terminal_id: int) -> int:
    """Make everybody of a cause at a terminal due now, after those for whom somebody waits; return how many they are.

    A terminal that did not answer last is tried now, too.
    """
    lock_terminal(terminal_id)
    terminal = db.session.get_one(Terminal, terminal_id)
    connection.end_back_off(terminal_id)
    state.lock_many(Enrolment.terminal_id == terminal_id, is_of(cause))
    count = state.apply(state.RETRIED_IN_BULK, Enrolment.terminal_id == terminal_id, is_of(cause))
    if count:
        audit.record("enrolment.retried", terminal=terminal.name, after={"people": count})
    return count
