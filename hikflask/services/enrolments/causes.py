"""Why an enrolment needs a person, as one word for all that the same action mends; and trying all of these again.

A cause is LEAVING (a removal that is not confirmed), or of a refused enrolment, which is tried no more, what
codes/refusals.py says of its refusal, or else the code of that.
"""

from sqlalchemy import ColumnElement, and_, case, literal, select
from sqlalchemy.orm import joinedload

from hikflask.codes.refusals import ITSELF, PHOTO, REFUSALS
from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Terminal
from hikflask.models.enrolment import CONFIRMED, REFUSED
from hikflask.services import audit
from hikflask.services.core.db import lock_terminal, transactional
from hikflask.services.state import enrolment as state
from hikflask.services.state.enrolment import IS_LEAVING, ROWS
from hikflask.services.terminals import connection

LEAVING = "leaving"
IS_REFUSED = state.is_in(REFUSED)
# Of other codes, a person who is there needs a photo.
BY_CODE = {code: code if row.cause == ITSELF else row.cause for code, row in REFUSALS.items() if row.cause}
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
    """Make everybody of a cause at a terminal due now, a silent one, too, after whom somebody waits for."""
    lock_terminal(terminal_id)
    terminal = db.session.get_one(Terminal, terminal_id)
    connection.end_back_off(terminal_id)
    state.lock_many(Enrolment.terminal_id == terminal_id, is_of(cause))
    count = state.apply(state.RETRIED_IN_BULK, Enrolment.terminal_id == terminal_id, is_of(cause))
    if count:
        audit.record("enrolment.retried", terminal=terminal.name, after={"people": count})
    return count
