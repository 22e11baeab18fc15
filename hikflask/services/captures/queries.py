"""Reads captures, always fresh from the database."""

from sqlalchemy.orm.attributes import set_committed_value

from hikflask.extensions import db
from hikflask.models import Capture, Photo
from hikflask.services.core.errors import CaptureDeleted


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


def photo_of(capture: Capture) -> Photo | None:
    """Return the capture's picture, or None."""
    photo = None if capture.photo_id is None else db.session.get(Photo, capture.photo_id)
    if photo is not None:
        set_committed_value(photo, "capture", capture)  # It is known, so nobody reads it again.
    return photo
