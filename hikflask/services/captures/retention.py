"""Retention of captures: unsaved pictures and drafts are forgotten first, the rows of ended captures are deleted later.

HIKFLASK_CAPTURE_RETENTION and HIKFLASK_EVENT_RETENTION say when. Both a save and this clean-up begin with a
compare-and-set on the capture's row, so a save either gets the picture or is refused.
"""

from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, and_, delete, or_, select, update

from hikflask.extensions import db
from hikflask.models import Capture, Enrolment, Photo, Terminal
from hikflask.models.capture import CAPTURED, RUNNING
from hikflask.models.columns import database_now
from hikflask.models.enrolment import REFUSED, WAITING
from hikflask.services import audit
from hikflask.services.captures import drafts
from hikflask.services.core.dates import SECONDS_PER_DAY
from hikflask.services.core.db import CLEANUP_BATCH, changed_rows, transaction, transactional
from hikflask.services.photos import storage
from hikflask.services.state import capture as state
from hikflask.services.state.enrolment import is_in


def forget_unsaved() -> int:
    """Forget the pictures that nobody saved in time, together with their drafts; return how many."""
    old = Photo.created_at < database_now(-current_app.config["CAPTURE_RETENTION"])
    statement = (
        select(Capture.id, Capture.photo_id, Photo.file, Terminal.name)
        .join(Photo, Photo.id == Capture.photo_id)
        .join(Terminal)
        .where(Capture.state == CAPTURED, old)
        .order_by(Capture.id)
        .limit(CLEANUP_BATCH)
    )
    return sum(_forget(row) for row in db.session.execute(statement).all())


@transactional
def _forget(row: Any) -> bool:
    """captured → failed; the photo is marked as forgotten, and the photo retention removes its file later."""
    capture_id, photo_id, file, terminal = row
    if state.apply(state.EXPIRED, Capture.id == capture_id, Capture.photo_id == photo_id) != 1:
        return False
    changed_rows(update(Photo).where(Photo.id == photo_id).values(forgotten_at=database_now()))
    audit.record("capture.forgotten", number=storage.number_in(file), terminal=terminal, subject=file)
    return True


def blank_drafts() -> int:
    """Empty the drafts of captures that ended more than CAPTURE_RETENTION seconds ago; return how many."""
    over = and_(Capture.state.not_in((*RUNNING, CAPTURED)), _ended("CAPTURE_RETENTION", 1.0))
    with transaction():
        state.lock_many(over, ~drafts.IS_BLANK)
        return drafts.blank(over)


def delete_ended() -> int:
    """Delete the rows of captures that ended more than EVENT_RETENTION days ago; return how many.

    The row stays while a terminal has not confirmed the face, because only the row has the picture's URL there.
    """
    awaited = select(Enrolment.photo_id).where(Enrolment.photo_id.is_not(None), is_in(WAITING, REFUSED))
    unneeded = or_(Capture.photo_id.is_(None), Capture.photo_id.not_in(awaited))
    over = and_(Capture.state.not_in((*RUNNING, CAPTURED)), _ended("EVENT_RETENTION", SECONDS_PER_DAY), unneeded)
    some = select(Capture.id).where(over).order_by(Capture.id).limit(CLEANUP_BATCH).with_for_update(key_share=True)
    with transaction():
        return len(db.session.execute(delete(Capture).where(Capture.id.in_(some)).returning(Capture.id)).all())


def _ended(setting: str, unit: float) -> ColumnElement[bool]:
    """Captures end at their deadline at the latest."""
    return Capture.deadline < database_now(-unit * current_app.config[setting])
