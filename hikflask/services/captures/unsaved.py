"""Finds captured pictures that are not saved yet and that a caller or a form may save."""

from sqlalchemy import ColumnElement, and_, bindparam, or_, select

from hikflask.extensions import db
from hikflask.models import Capture, Employee, Photo
from hikflask.models.capture import CANCELLED, CAPTURED, FAILED, RUNNING, SUPERSEDED, USED
from hikflask.models.columns import database_now
from hikflask.services.captures.queries import WITH_TERMINAL
from hikflask.services.core.errors import ServiceError

# For so many seconds, a picture that was taken without a number is offered to its caller.
LATELY_SECONDS = 900.0
LATELY = Capture.created_at > database_now(-LATELY_SECONDS)
# Made once: to make a statement costs more than to run it.
NEWEST = (
    WITH_TERMINAL.where(
        Capture.requested_by == bindparam("requested_by"),
        or_(Capture.state.in_((CAPTURED, USED)), and_(Capture.state == SUPERSEDED, LATELY)),
        or_(Capture.draft_number == bindparam("number"), and_(Capture.draft_number == "", LATELY)),
    )
    .order_by(Capture.id.desc())
    .limit(1)
)
NEWEST_THERE = NEWEST.where(Capture.terminal_id == bindparam("terminal_id"))
OTHER_UNSAVED = select(Capture.id).where(
    Capture.requested_by == bindparam("requested_by"),
    Capture.state.in_((CAPTURED, SUPERSEDED)),
    Capture.draft_number.in_((bindparam("number"), "")),
    LATELY,
    Capture.id != bindparam("capture_id"),
)


def latest(terminal_id: int | None, number: str, requested_by: str) -> Capture | None:
    """Return the caller's newest unsaved capture for this number, or without a number; None when there is none.

    Its terminal and picture are read with it, and the terminal stays as it is until the transaction ends. A capture
    that was superseded lately is returned, too, because the caller must be told.

    :raises capture_not_named: when it has no number, and the caller took another picture lately that could be meant.
    """
    caller = {"number": number, "requested_by": requested_by}
    if terminal_id is None:
        found = db.session.execute(NEWEST, caller).scalar_one_or_none()
    else:
        found = db.session.execute(NEWEST_THERE, {**caller, "terminal_id": terminal_id}).scalar_one_or_none()
    if found is None or found.state == USED:
        return None
    others = OTHER_UNSAVED.where(*_there(terminal_id)).limit(1)
    if not found.draft_number and db.session.execute(others, {**caller, "capture_id": found.id}).first():
        raise ServiceError("capture_not_named")
    return found


def of_path(photo_path: str, terminal_id: int | None, employee: Employee, requested_by: str) -> Capture | None:
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
        *_there(terminal_id),
    )
    found = db.session.execute(statement).scalars().first()
    if found is None:
        raise ServiceError("capture_unknown")
    return None if found.state == USED else found


def _there(terminal_id: int | None) -> list[ColumnElement[bool]]:
    return [] if terminal_id is None else [Capture.terminal_id == terminal_id]


def of_form(capture_id: int | None) -> Capture | None:
    """Return the unsaved capture of a form: the given one, or the earlier one that it should have replaced, or None."""
    capture = db.session.get(Capture, capture_id or 0, populate_existing=True)
    if capture is not None and capture.retake_of and capture.state in {*RUNNING, FAILED, CANCELLED}:
        capture = db.session.get(Capture, capture.retake_of, populate_existing=True)
    return capture if capture is not None and capture.state == CAPTURED else None
