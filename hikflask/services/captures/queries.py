"""Reads captures, always fresh from the database, and finds the unsaved one that a caller or a form may save."""

from sqlalchemy import Integer, and_, bindparam, exists, not_, or_, select
from sqlalchemy.orm import aliased, contains_eager, joinedload
from sqlalchemy.orm.attributes import set_committed_value

from hikflask.extensions import db
from hikflask.models import Capture, Employee, Photo, Terminal
from hikflask.models.capture import CANCELLED, CAPTURED, FAILED, QUEUED, RUNNING, SUPERSEDED, USED
from hikflask.models.columns import database_now
from hikflask.services.core.errors import CaptureDeleted, ServiceError
from hikflask.services.terminals import leases

# Statements are made once: that costs more than to run them. The terminal is held as by HELD_TERMINALS (core/db.py).
WITH_TERMINAL = (
    select(Capture)
    .join(Capture.terminal)
    .options(contains_eager(Capture.terminal), joinedload(Capture.photo))
    .with_for_update(read=True, key_share=True, of=Terminal)
    .execution_options(populate_existing=True)
)
WITH_TERMINAL_BY_ID = WITH_TERMINAL.where(Capture.id == bindparam("capture_id"))
# For so many seconds, a picture that was taken without a number is offered to its caller.
LATELY_SECONDS = 900.0
# A worker that has time begins a queued capture at once.
QUEUED_SECONDS = 3.0
LATELY = Capture.created_at > database_now(-LATELY_SECONDS)
# None: at any terminal.
TERMINAL_ID = bindparam("terminal_id", type_=Integer)
OTHER = aliased(Capture)
# It has no number, and its caller took another picture lately that could be meant.
IS_UNCLEAR = and_(
    Capture.draft_number == "",
    exists().where(
        OTHER.requested_by == Capture.requested_by,
        OTHER.state.in_((CAPTURED, SUPERSEDED)),
        OTHER.draft_number.in_((bindparam("number"), "")),
        OTHER.created_at > database_now(-LATELY_SECONDS),
        OTHER.id != Capture.id,
        or_(TERMINAL_ID.is_(None), OTHER.terminal_id == TERMINAL_ID),
    ),
)
NEWEST = (
    WITH_TERMINAL.add_columns(IS_UNCLEAR.label("is_unclear"))
    .where(
        Capture.requested_by == bindparam("requested_by"),
        or_(Capture.state.in_((CAPTURED, USED)), and_(Capture.state == SUPERSEDED, LATELY)),
        or_(Capture.draft_number == bindparam("number"), and_(Capture.draft_number == "", LATELY)),
        or_(TERMINAL_ID.is_(None), Capture.terminal_id == TERMINAL_ID),
    )
    .order_by(Capture.id.desc())
    .limit(1)
)


def get(capture_id: int) -> Capture | None:
    """Return the capture, or None."""
    return db.session.get(Capture, capture_id, populate_existing=True)


def get_one(capture_id: int) -> Capture:
    """Return the capture. :raises CaptureDeleted: when it is gone, with all that is kept of its person."""
    capture = get(capture_id)
    if capture is None:
        raise CaptureDeleted
    return capture


def left_in_queue() -> list[int]:
    """Return the ids of the captures that have been queued for a while, and for which nobody talks to the terminal."""
    queued = select(Capture.id).join(Capture.terminal).order_by(Capture.id)
    long_ago = Capture.created_at < database_now(-QUEUED_SECONDS)
    return list(db.session.execute(queued.where(Capture.state == QUEUED, long_ago, leases.FREE)).scalars())


def left_open() -> list[int]:
    """Return the ids of the cancelled captures whose window their terminals still show, by their leases."""
    at_work = (Capture.lease_number == Terminal.lease_number, Terminal.can_cancel, not_(leases.FREE))
    cancelled = select(Capture.id).join(Capture.terminal).where(Capture.state == CANCELLED, *at_work)
    return list(db.session.execute(cancelled.order_by(Capture.id)).scalars())


def with_terminal(capture_id: int | None) -> Capture | None:
    """Return the capture with its picture, and its terminal, which stays as it is until the transaction ends."""
    return db.session.execute(WITH_TERMINAL_BY_ID, {"capture_id": capture_id}).scalar_one_or_none()


def photo_of(capture: Capture) -> Photo | None:
    """Return the capture's picture, or None."""
    photo = None if capture.photo_id is None else db.session.get(Photo, capture.photo_id)
    if photo is not None:
        set_committed_value(photo, "capture", capture)  # It is known, so nobody reads it again.
    return photo


def latest_unsaved(terminal_id: int | None, number: str, requested_by: str) -> Capture | None:
    """Return the caller's newest unsaved capture for this number, or without a number; None when there is none.

    The terminal and the picture are read with it, and the terminal stays as it is until the transaction ends. A capture
    that was superseded lately is returned, too, because the caller must be told.

    :raises capture_not_named: when it has no number, and the caller took another picture lately that could be meant.
    """
    given = {"number": number, "requested_by": requested_by, "terminal_id": terminal_id}
    newest = db.session.execute(NEWEST, given).one_or_none()
    if newest is None or newest.Capture.state == USED:
        return None
    if newest.is_unclear:
        raise ServiceError("capture_not_named")
    capture: Capture = newest.Capture
    return capture


def unsaved_of_path(photo_path: str, terminal_id: int | None, employee: Employee, requested_by: str) -> Capture | None:
    """Return the caller's capture whose answer had this path; None when the employee has its picture already.

    :raises capture_unknown: when the caller has no such capture for the employee's number, or without a number, or its
        picture was saved to somebody else.
    """
    file = photo_path.rpartition("/")[2]
    # As it is named once it is saved.
    saved_as = f"{employee.number}_{file.partition('_')[2]}"
    statement = WITH_TERMINAL.join(Photo, Capture.photo_id == Photo.id).where(
        Capture.requested_by == requested_by,
        Capture.draft_number.in_((employee.number, "")),
        or_(Photo.employee_id.is_(None), Photo.employee_id == employee.id),
        Photo.file.in_((file, saved_as)),
    )
    if terminal_id is not None:
        statement = statement.where(Capture.terminal_id == terminal_id)
    capture = db.session.execute(statement).scalars().first()
    if capture is None:
        raise ServiceError("capture_unknown")
    return None if capture.state == USED else capture


def unsaved_of_form(capture_id: int | None) -> Capture | None:
    """Return the unsaved capture of a form: the given one, or the earlier one that it was to replace, or None."""
    capture = db.session.get(Capture, capture_id or 0, populate_existing=True)
    if capture is not None and capture.retake_of and capture.state in {*RUNNING, FAILED, CANCELLED}:
        capture = db.session.get(Capture, capture.retake_of, populate_existing=True)
    return capture if capture is not None and capture.state == CAPTURED else None
