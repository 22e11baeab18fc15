"""Deletes comparisons that nobody needs any more: of each terminal, the last finished one and the present one stay."""

from sqlalchemy import and_, delete, exists, or_, select
from sqlalchemy.orm import aliased

from hikflask.extensions import db
from hikflask.models import Comparison, Difference, PersonThere
from hikflask.models.columns import database_now
from hikflask.models.comparison import DONE, READING
from hikflask.services.comparisons import reading
from hikflask.services.core.dates import SECONDS_PER_DAY
from hikflask.services.core.db import CLEANUP_BATCH, changed_rows

# A job that carries out a plan may still need the comparison that the plan was made from.
KEPT_SECONDS = SECONDS_PER_DAY
ROWS_AT_ONCE = 2000


def forget_comparisons() -> int:
    """Delete what is old with what it found; return how many comparisons are gone. The next call does the rest."""
    reading.end_abandoned(seconds=KEPT_SECONDS)
    later = aliased(Comparison)
    replaced = exists().where(
        later.terminal_id == Comparison.terminal_id, later.id > Comparison.id, later.state == DONE
    )
    ended = and_(Comparison.state != READING, Comparison.ended_at < database_now(-KEPT_SECONDS))
    old = select(Comparison.id).where(ended, or_(replaced, Comparison.state != DONE)).order_by(Comparison.id)
    ids = list(db.session.execute(old.limit(CLEANUP_BATCH)).scalars())
    for table in (PersonThere, Difference):
        some = select(table.id).where(table.comparison_id.in_(ids)).limit(ROWS_AT_ONCE)
        changed_rows(delete(table).where(table.id.in_(some)))
    left = [exists().where(table.comparison_id == Comparison.id) for table in (PersonThere, Difference)]
    deleted = changed_rows(delete(Comparison).where(Comparison.id.in_(ids), ~left[0], ~left[1]))
    db.session.commit()
    return deleted
