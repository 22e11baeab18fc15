"""Deletes passages, some at a time: those older than HIKFLASK_PASSAGES_KEEP, also while none are recorded, or all."""

from datetime import UTC, datetime, timedelta

from flask import current_app
from sqlalchemy import Select, delete, func, select

from hikflask.extensions import db
from hikflask.models import Event, EventCoverage
from hikflask.services.core.db import CLEANUP_BATCH, after_commit, changed_rows, transactional
from hikflask.services.photos import storage

# Events are small rows, and two hundred terminals may record a hundred thousand a day.
EVENT_BATCH = 10 * CLEANUP_BATCH
# No terminal recorded anything earlier: its clock had been reset. When it happened is not known, but when it was read.
FIRST_PLAUSIBLE = datetime(2010, 1, 1, tzinfo=UTC)


def kept_since() -> datetime:
    """Return the moment before which passages are not kept, and not stored when a log still has them."""
    return datetime.now(UTC) - timedelta(days=current_app.config["PASSAGES_KEEP"])


@transactional
def forget_passages() -> int:
    """Delete some of the passages that were kept for long enough, and the spans of that time; return how many."""
    since = kept_since()
    old = select(Event.id).where(Event.occurred_at < since, Event.occurred_at >= FIRST_PLAUSIBLE)
    undated = select(Event.id).where(Event.occurred_at < FIRST_PLAUSIBLE, Event.received_at < since)
    in_order = (Event.occurred_at, Event.id)
    gone = _delete(old.order_by(*in_order), undated.order_by(*in_order))
    spans = select(EventCoverage.id).where(EventCoverage.to_at < since).order_by(EventCoverage.id)
    changed_rows(delete(EventCoverage).where(EventCoverage.id.in_(spans.limit(EVENT_BATCH))))
    return gone


def count() -> tuple[int, int]:
    """Return how many passages are stored, and the id of the newest; 0 where there are none."""
    row = db.session.execute(select(func.count(Event.id), func.coalesce(func.max(Event.id), 0))).one()
    return row[0], row[1]


@transactional
def delete_some(up_to: int | None) -> int:
    """Delete some of the passages up to an id (None: of all); return how many. What was read once is not read again."""
    found = select(Event.id).order_by(Event.id)
    return _delete(found if up_to is None else found.where(Event.id <= up_to))


def _delete(*found: Select[int]) -> int:
    ids = [event_id for some in found for event_id in db.session.execute(some.limit(EVENT_BATCH)).scalars()]
    # Locked by id, as an erasure does, whatever order they were found in.
    locked = select(Event.id, Event.picture).where(Event.id.in_(ids)).order_by(Event.id).with_for_update()
    rows = db.session.execute(locked).all()
    if not rows:
        return 0
    pictures = [row.picture for row in rows if row.picture]
    after_commit(lambda: storage.unlink(*pictures))
    return changed_rows(delete(Event).where(Event.id.in_([row.id for row in rows])))
