"""Captures that others must know of: the one that runs, and pictures that wait to be saved."""

from sqlalchemy import and_, literal, or_, select, update

from hikflask.extensions import db
from hikflask.models import Capture, Enrolment, Terminal
from hikflask.models.capture import RUNNING, SUPERSEDED, TAKEN, USED
from hikflask.models.columns import database_now
from hikflask.models.enrolment import PENDING
from hikflask.models.terminal import BY_BINARY
from hikflask.services import capture_moves

# A picture that was taken for no number is somebody's only for a while; a forgotten one is nobody's.
LATELY_SECONDS = 900.0


def latest(terminal_id: int | None, number: str, requested_by: str) -> Capture | None:
    """Return the caller's newest finished picture for this number, or for no number, that is not saved yet.

    One that was superseded lately is returned, too: the caller must hear that it is.
    """
    lately = Capture.created_at > database_now(-LATELY_SECONDS)
    statement = (
        select(Capture)
        .where(
            Capture.requested_by == requested_by,
            or_(Capture.state.in_((TAKEN, USED)), and_(Capture.state == SUPERSEDED, lately)),
            or_(Capture.draft_number == number, and_(Capture.draft_number == "", lately)),
        )
        .order_by(Capture.id.desc())
        .limit(1)
    )
    if terminal_id is not None:
        statement = statement.where(Capture.terminal_id == terminal_id)
    found = db.session.execute(statement, execution_options={"populate_existing": True}).scalar_one_or_none()
    db.session.commit()
    return None if found is None or found.state == USED else found


def running(terminal_id: int) -> Capture | None:
    statement = select(Capture).where(Capture.terminal_id == terminal_id, Capture.state.in_(RUNNING))
    found = db.session.execute(statement, execution_options={"populate_existing": True}).scalars().first()
    db.session.commit()
    return found


def held(terminal_id: int, number: str, requested_by: str, own: int | None) -> Capture | None:
    """Return a picture that waits there to be saved, or that was saved and is not bound yet, and that is not ours."""
    unbound = select(Enrolment.id).where(
        Enrolment.photo_id == Capture.photo_id, Enrolment.face == PENDING, Enrolment.next_attempt_at.is_not(None)
    )
    mine = and_(Capture.draft_number == number, or_(Capture.requested_by == requested_by, literal(number != "")))
    statement = (
        select(Capture)
        .where(
            Capture.terminal_id == terminal_id,
            or_(Capture.state == TAKEN, and_(Capture.state == USED, unbound.exists())),
            Capture.hold_until > database_now(),
            Capture.id != (own or 0),
            ~mine,
        )
        .order_by(Capture.id.desc())
        .limit(1)
    )
    found = db.session.execute(statement, execution_options={"populate_existing": True}).scalar_one_or_none()
    db.session.commit()
    return found


def supersede_others(terminal: Terminal, capture_id: int) -> None:
    """A terminal that captures by URL has one file, which now shows this face; pictures by binary stay good."""
    if terminal.capture_mode == BY_BINARY:
        return
    capture_moves.execute(
        update(Capture)
        .where(Capture.terminal_id == terminal.id, Capture.state == TAKEN, Capture.id != capture_id)
        .values(state=SUPERSEDED, hold_until=None)
    )
