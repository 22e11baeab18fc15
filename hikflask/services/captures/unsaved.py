"""Finds captured pictures that are not saved yet and that a caller or a form may save."""

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.orm import joinedload

from hikflask.extensions import db
from hikflask.models import Capture
from hikflask.models.capture import CANCELLED, CAPTURED, FAILED, RUNNING, SUPERSEDED, USED
from hikflask.models.columns import database_now

# For so many seconds, a picture that was taken without a number is offered to its caller.
LATELY_SECONDS = 900.0
LATELY = Capture.created_at > database_now(-LATELY_SECONDS)
# Made once: to make a statement costs more than to run it.
NEWEST = (
    select(Capture)
    .where(
        Capture.requested_by == bindparam("requested_by"),
        or_(Capture.state.in_((CAPTURED, USED)), and_(Capture.state == SUPERSEDED, LATELY)),
        or_(Capture.draft_number == bindparam("number"), and_(Capture.draft_number == "", LATELY)),
    )
    .order_by(Capture.id.desc())
    .limit(1)
    .options(joinedload(Capture.terminal), joinedload(Capture.photo))
    .execution_options(populate_existing=True)
)
NEWEST_THERE = NEWEST.where(Capture.terminal_id == bindparam("terminal_id"))


def latest(terminal_id: int | None, number: str, requested_by: str) -> Capture | None:
    """Return the caller's newest unsaved capture for this number, or without a number; None when there is none.

    Its terminal and picture are read with it. A capture that was superseded lately is returned, too, because the caller
    must be told. The transaction stays open.
    """
    caller = {"number": number, "requested_by": requested_by}
    if terminal_id is None:
        found = db.session.execute(NEWEST, caller).scalar_one_or_none()
    else:
        found = db.session.execute(NEWEST_THERE, {**caller, "terminal_id": terminal_id}).scalar_one_or_none()
    return None if found is None or found.state == USED else found


def of_form(capture_id: int | None) -> Capture | None:
    """Return the unsaved capture of a form: the given one, or the earlier one that it should have replaced, or None."""
    capture = db.session.get(Capture, capture_id or 0, populate_existing=True)
    if capture is not None and capture.retake_of and capture.state in {*RUNNING, FAILED, CANCELLED}:
        capture = db.session.get(Capture, capture.retake_of, populate_existing=True)
    db.session.commit()
    return capture if capture is not None and capture.state == CAPTURED else None
