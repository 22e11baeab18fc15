"""Reads captures, always fresh from the database."""

from sqlalchemy import bindparam, select
from sqlalchemy.orm import contains_eager, joinedload
from sqlalchemy.orm.attributes import set_committed_value

from hikflask.extensions import db
from hikflask.models import Capture, Photo, Terminal
from hikflask.services.core.errors import CaptureDeleted

# Made once: to make a statement costs more than to run it. The terminal is held as by HELD_TERMINALS (core/db.py).
WITH_TERMINAL = (
    select(Capture)
    .join(Capture.terminal)
    .options(contains_eager(Capture.terminal), joinedload(Capture.photo))
    .with_for_update(read=True, key_share=True, of=Terminal)
    .execution_options(populate_existing=True)
)
WITH_TERMINAL_BY_ID = WITH_TERMINAL.where(Capture.id == bindparam("capture_id"))


def get(capture_id: int) -> Capture | None:
    """Return the capture, or None."""
    return db.session.get(Capture, capture_id, populate_existing=True)


def row(capture_id: int) -> Capture:
    """Return the capture.

    :raises CaptureDeleted: when it is gone, with all that is kept of its person.
    """
    capture = get(capture_id)
    if capture is None:
        raise CaptureDeleted
    return capture


def with_terminal(capture_id: int | None) -> Capture | None:
    """Return the capture with its picture, and its terminal, which stays as it is until the transaction ends."""
    return db.session.execute(WITH_TERMINAL_BY_ID, {"capture_id": capture_id}).scalar_one_or_none()


def photo_of(capture: Capture) -> Photo | None:
    """Return the capture's picture, or None."""
    photo = None if capture.photo_id is None else db.session.get(Photo, capture.photo_id)
    if photo is not None:
        set_committed_value(photo, "capture", capture)  # It is known, so nobody reads it again.
    return photo
