"""Finds captured pictures that are not saved yet and that a caller or a form may save."""

from sqlalchemy import and_, or_, select

from hikflask.extensions import db
from hikflask.models import Capture
from hikflask.models.capture import CANCELLED, CAPTURED, FAILED, RUNNING, SUPERSEDED, USED
from hikflask.models.columns import database_now

# For so many seconds, a picture that was taken without a number is offered to its caller.
LATELY_SECONDS = 900.0


def latest(terminal_id: int | None, number: str, requested_by: str) -> Capture | None:
    """Return the caller's newest unsaved capture for this number, or without a number; None when there is none.

    A capture that was superseded lately is returned, too, because the caller must be told. The transaction stays open.
    """
    lately = Capture.created_at > database_now(-LATELY_SECONDS)
    statement = (
        select(Capture)
        .where(
            Capture.requested_by == requested_by,
            or_(Capture.state.in_((CAPTURED, USED)), and_(Capture.state == SUPERSEDED, lately)),
            or_(Capture.draft_number == number, and_(Capture.draft_number == "", lately)),
        )
        .order_by(Capture.id.desc())
        .limit(1)
    )
    if terminal_id is not None:
        statement = statement.where(Capture.terminal_id == terminal_id)
    found = db.session.execute(statement, execution_options={"populate_existing": True}).scalar_one_or_none()
    return None if found is None or found.state == USED else found


def of_form(capture_id: int | None) -> Capture | None:
    """Return the unsaved capture of a form: the given one, or the earlier one that it should have replaced, or None."""
    capture = db.session.get(Capture, capture_id or 0, populate_existing=True)
    if capture is not None and capture.retake_of and capture.state in {*RUNNING, FAILED, CANCELLED}:
        capture = db.session.get(Capture, capture.retake_of, populate_existing=True)
    db.session.commit()
    return capture if capture is not None and capture.state == CAPTURED else None
