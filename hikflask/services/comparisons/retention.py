"""Deletes comparisons that nobody needs: of each terminal, the last two finished ones and the current one stay.

Each comparison that ends deletes what it replaces, so nobody fills the database by comparing again and again. The
worker deletes what a process that was killed has left.
"""

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import aliased

from hikflask.extensions import db
from hikflask.models import Comparison, Difference, Job, PersonThere
from hikflask.models.columns import database_now
from hikflask.models.comparison import DONE, FAILED, READING
from hikflask.models.job import OPEN
from hikflask.models.refusal import Refusal
from hikflask.services.core.dates import SECONDS_PER_DAY
from hikflask.services.core.db import CLEANUP_BATCH, changed_rows, let_others_write, transaction

# A plan is made from the last finished comparison; the one before it shows which pictures a terminal encodes anew.
MAX_FINISHED = 2
# So long a failed one tells why. Whom it read is forgotten at once.
KEPT_SECONDS = SECONDS_PER_DAY
# Where only one can write at a time, others wait while rows are deleted.
ROWS_AT_ONCE = 2000


def forget_comparisons() -> None:
    """Delete some of what nobody needs any more, with what it found. The next call does the rest."""
    end_abandoned(seconds=KEPT_SECONDS)
    _forget_some()


def forget_of_terminal(terminal_id: int) -> None:
    """Delete what nobody needs any more of a terminal. Others can write meanwhile."""
    while _forget_some(Comparison.terminal_id == terminal_id):
        let_others_write()


def _forget_some(*which: ColumnElement[bool]) -> bool:
    """Delete some of what nobody needs; return whether something may be left."""
    is_over = or_(Comparison.state == DONE, Comparison.ended_at < database_now(-KEPT_SECONDS))
    is_empty = and_(*(~exists().where(table.comparison_id == Comparison.id) for table in (PersonThere, Difference)))
    failed = and_(Comparison.state == FAILED, or_(is_over, ~is_empty))
    # Enough later ones are finished, and no open job carries out a plan of it.
    later = aliased(Comparison)
    newer = (later.terminal_id == Comparison.terminal_id, later.id > Comparison.id, later.state == DONE)
    count = select(func.count()).select_from(later).where(*newer).scalar_subquery()
    planned = select(Job.params["comparison"].as_integer()).where(Job.state.in_(OPEN))
    needed = {comparison_id for comparison_id in db.session.execute(planned).scalars() if comparison_id}
    replaced = and_(Comparison.state == DONE, count >= MAX_FINISHED, Comparison.id.not_in(needed))
    unneeded = select(Comparison.id).where(*which, or_(failed, replaced)).order_by(Comparison.id)
    ids = list(db.session.execute(unneeded.limit(CLEANUP_BATCH)).scalars())
    if not ids:
        return False
    with transaction():
        deleted = [forget_rows(table, table.comparison_id.in_(ids)) for table in (PersonThere, Difference)]
    with transaction():  # An erasure locks comparisons before their rows.
        changed_rows(delete(Comparison).where(Comparison.id.in_(ids), is_over, is_empty))
    return ROWS_AT_ONCE in deleted


def forget_rows(table: type[PersonThere | Difference], *which: ColumnElement[bool]) -> int:
    """Delete some of what comparisons found, within the caller's transaction; return how many rows."""
    some = select(table.id).where(*which).limit(ROWS_AT_ONCE)
    return changed_rows(delete(table).where(table.id.in_(some)))


def end_abandoned(*which: ColumnElement[bool], seconds: float) -> None:
    """End the comparisons of which nothing was read for so many seconds."""
    read_at = func.coalesce(Comparison.read_at, Comparison.started_at)
    left = update(Comparison).where(*which, Comparison.state == READING, read_at < database_now(-seconds))
    with transaction():
        refusal = Refusal(code="comparison_replaced", params={})
        changed_rows(left.values(state=FAILED, refusal=refusal, ended_at=database_now()))
