"""Deletes passages that are older than HIKFLASK_PASSAGES_KEEP, some at a time, whether or not new ones are recorded."""

from datetime import UTC, datetime, timedelta

from flask import current_app
from sqlalchemy import Select, delete, select

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
    old = select(Event.id, Event.picture).where(Event.occurred_at < since, Event.occurred_at >= FIRST_PLAUSIBLE)
    undated = select(Event.id, Event.picture).where(Event.occurred_at < FIRST_PLAUSIBLE, Event.received_at < since)
    in_order = (Event.occurred_at, Event.id)
    gone = _delete(old.order_by(*in_order)) + _delete(undated.order_by(*in_order))
    spans = select(EventCoverage.id).where(EventCoverage.to_at < since).order_by(EventCoverage.id)
    changed_rows(delete(EventCoverage).where(EventCoverage.id.in_(spans.limit(EVENT_BATCH))))
    return gone


def _delete(found: Select[int, str | None]) -> int:
    rows = db.session.execute(found.limit(EVENT_BATCH).with_for_update()).all()
    if not rows:
        return 0
    pictures = [row.picture for row in rows if row.picture]
    after_commit(lambda: storage.unlink(*pictures))
    return changed_rows(delete(Event).where(Event.id.in_([row.id for row in rows])))
