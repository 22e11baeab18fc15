"""What blocks a terminal for the next capture: a running capture, or a picture in its one file that is still needed."""

from contextlib import suppress

from sqlalchemy import and_, bindparam, literal, or_, select

from hikflask.extensions import db
from hikflask.isapi import faces
from hikflask.isapi.errors import Gone, TerminalError
from hikflask.models import Capture, Enrolment
from hikflask.models.capture import CAPTURED, QUEUED, RUNNING, USED
from hikflask.models.columns import database_now
from hikflask.models.enrolment import PENDING
from hikflask.services.core.errors import ServiceError
from hikflask.services.photos import storage
from hikflask.services.state import capture as state
from hikflask.services.terminals.connection import Conversation

# The saved picture is not bound on this terminal yet.
UNBOUND = select(Enrolment.id).where(
    Enrolment.photo_id == Capture.photo_id,
    Enrolment.terminal_id == Capture.terminal_id,
    Enrolment.face == PENDING,
    Enrolment.next_attempt_at.is_not(None),
)

# Made once: it is executed after each attempt.
QUEUED_BESIDE = select(Capture.id).where(
    Capture.terminal_id
    == select(Enrolment.terminal_id).where(Enrolment.id == bindparam("enrolment_id")).scalar_subquery(),
    Capture.state == QUEUED,
)


def running_at(terminal_id: int) -> Capture | None:
    """Return the capture that runs at a terminal, or None."""
    statement = select(Capture).where(Capture.terminal_id == terminal_id, Capture.state.in_(RUNNING))
    return db.session.execute(statement, execution_options={"populate_existing": True}).scalars().first()


def held_by_another(terminal_id: int, number: str, requested_by: str, own: int | None) -> Capture | None:
    """Return a capture whose picture the terminal's one file must keep, or None.

    The picture must stay while it is unsaved, or not yet bound on this terminal. A picture taken by binary has no file
    on the terminal and blocks nothing. Captures for the same number do not block; without a number, the caller's own
    do not block.

    :param own: the id of the capture that the form shows; it does not block the caller who requested it.
    """
    same_person = and_(Capture.draft_number == number, or_(Capture.requested_by == requested_by, literal(number != "")))
    statement = (
        select(Capture)
        .where(
            Capture.terminal_id == terminal_id,
            Capture.face_url.is_not(None),
            or_(Capture.state == CAPTURED, and_(Capture.state == USED, UNBOUND.exists())),
            Capture.hold_until > database_now(),
            ~and_(Capture.id == (own or 0), Capture.requested_by == requested_by),
            ~same_person,
        )
        .order_by(Capture.id.desc())
        .limit(1)
    )
    return db.session.execute(statement, execution_options={"populate_existing": True}).scalar_one_or_none()


def bound_first(capture: Capture) -> Capture | None:
    """Return the saved picture of the same operator that this queued capture waits for at its terminal, or None.

    The terminal's one file must keep that picture until it is bound. Where there is no such file, the saved employee is
    verified before the terminal waits for the next face.
    """
    untried = UNBOUND.where(Enrolment.refusal_code == "")
    held = and_(Capture.face_url.is_not(None), Capture.hold_until > database_now())
    statement = select(Capture).where(
        Capture.terminal_id == capture.terminal_id,
        Capture.id < capture.id,
        Capture.state == USED,
        Capture.requested_by == capture.requested_by,
        Capture.draft_number != capture.draft_number,
        or_(untried.exists(), and_(held, UNBOUND.exists())),
    )
    return db.session.execute(statement.order_by(Capture.id.desc()).limit(1)).scalar_one_or_none()


def begins_later(capture_id: int) -> bool:
    """True while a queued capture waits for a saved picture of its operator to be bound."""
    capture = db.session.get(Capture, capture_id, populate_existing=True)
    return capture is not None and capture.state == QUEUED and bound_first(capture) is not None


def queued_beside(enrolment_id: int) -> list[int]:
    """Return the ids of the queued captures at the terminal of an enrolment, of which at most one is there."""
    return list(db.session.execute(QUEUED_BESIDE, {"enrolment_id": enrolment_id}).scalars())


def supersede_others(terminal_id: int, capture_id: int) -> None:
    """Supersede the other unsaved pictures of a terminal and end their holds, within the caller's transaction.

    The terminal's one file now holds the face of `capture_id`. Pictures taken by binary have no file on the terminal
    and stay usable. Saved pictures are compared with the file before they are bound.
    """
    overwritten = (Capture.terminal_id == terminal_id, Capture.id != capture_id, Capture.face_url.is_not(None))
    state.lock_many(*overwritten, Capture.state.in_((CAPTURED, USED)))
    state.apply(state.OVERWRITTEN, *overwritten)
    state.apply(state.HOLD_ENDED, *overwritten, Capture.hold_until.is_not(None))


def supersede_replaced(conversation: Conversation, capture_id: int) -> None:
    """Supersede the unsaved pictures that the terminal's one file does not hold any more.

    A capture that was cancelled or timed out here may still have changed that file. Errors are ignored: the file is
    compared again before each binding.
    """
    by_url = select(Capture).where(
        Capture.terminal_id == conversation.terminal.id, Capture.state == CAPTURED, Capture.face_url.is_not(None)
    )
    newest = db.session.execute(by_url.order_by(Capture.id.desc()).limit(1)).scalar_one_or_none()
    if newest is None or newest.photo is None:
        return
    seen = ""
    try:
        with suppress(Gone):
            seen = storage.sha256(faces.fetch_picture(conversation, newest.face_url or ""))
        if seen != newest.photo.sha256:
            with conversation.lease.write():
                supersede_others(conversation.terminal.id, capture_id)
    except (TerminalError, ServiceError):
        return
