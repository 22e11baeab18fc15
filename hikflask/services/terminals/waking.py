"""Makes due what waits for a terminal, when the way to it is another one, or when it is well again."""

from sqlalchemy import ColumnElement, and_, or_, update

from hikflask.extensions import db
from hikflask.models import Enrolment
from hikflask.models.columns import database_now
from hikflask.models.enrolment import PENDING, PRESENT, REFUSED
from hikflask.services.core.db import changed_rows

# Refusals that were about the way to the terminal, not about the wish.
STOPPED = ("wrong_password", "locked", "login_refused", "weak_digest", "certificate_changed", "address_refused")


def retry_terminal(terminal_id: int) -> None:
    """Try everything that is open on a terminal again now, as after a corrected password or address."""
    _make_due(terminal_id, Enrolment.person != REFUSED)
    db.session.commit()


def wake(terminal_id: int) -> None:
    """Make due, within the caller's transaction, what waits for a terminal that is well again, or was stopped there."""
    _make_due(terminal_id, Enrolment.refusal_code.in_(STOPPED))


def _make_due(terminal_id: int, faceless: ColumnElement[bool]) -> None:
    """Whatever is not done; of those who are there without a face only such ones."""
    faceless = and_(faceless, Enrolment.desired == PRESENT, Enrolment.face == PENDING)
    undone = or_(
        Enrolment.person == PENDING, faceless, Enrolment.face_unverified, Enrolment.next_attempt_at.is_not(None)
    )
    statement = update(Enrolment).where(Enrolment.terminal_id == terminal_id, undone)
    changed_rows(statement.values(next_attempt_at=database_now()))
