"""When a terminal answered and when not: a row for each change, written as it is measured, and read as the last day.

An idle terminal is asked every DRIFT_INTERVAL seconds. What was so where nothing was measured for much longer is not
known: no worker ran, the terminal was not in use, or nothing was sent to it as it had refused the password.
"""

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import current_app
from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import aliased

from hikflask.extensions import db
from hikflask.models import ReachabilityChange, Terminal
from hikflask.models.columns import one_moment
from hikflask.services.core.dates import SECONDS_PER_DAY
from hikflask.services.core.db import CLEANUP_BATCH, changed_rows, transactional
from hikflask.services.core.errors import LeaseLost
from hikflask.services.terminals.leases import Lease

DAY = timedelta(days=1)
KEPT_DAYS = 30
# What was measured last still holds for so long at least, or for so many times the interval of the checks.
MIN_HELD_SECONDS = 900.0
HELD_INTERVALS = 3


@dataclass(frozen=True)
class ReachabilityPeriod:
    """A stretch of time in which a terminal answered, or did not; None: it is not known."""

    begins: datetime
    ends: datetime
    answered: bool | None


def record(lease: Lease, *, is_reachable: bool) -> None:
    """Write that a terminal answers, or does not, to its row and to its changes. Where nothing changed do nothing.

    :param lease: of the conversation that showed it; nothing is written when another holder took it.
    """
    terminal, now = lease.terminal, datetime.now(UTC)
    known_until = _known_until(terminal, now)
    if terminal.reachable is is_reachable and known_until == now:
        return
    with suppress(LeaseLost), lease.write():
        changed_rows(update(Terminal).where(Terminal.id == terminal.id).values(reachable=is_reachable))
        of_terminal = select(ReachabilityChange).where(ReachabilityChange.terminal_id == terminal.id)
        newest_first = of_terminal.order_by(ReachabilityChange.at.desc(), ReachabilityChange.id.desc())
        newest = db.session.execute(newest_first.limit(1)).scalar_one_or_none()
        if newest is not None and known_until < now:
            at = max(known_until, newest.at)
            db.session.add(ReachabilityChange(terminal_id=terminal.id, at=at, is_reachable=None))
        elif newest is not None and newest.is_reachable is is_reachable:
            return
        db.session.add(ReachabilityChange(terminal_id=terminal.id, is_reachable=is_reachable))


def _known_until(terminal: Terminal, now: datetime) -> datetime:
    """Return until when it is known whether a terminal answers: now, or when it was measured last, long ago."""
    config = current_app.config
    measured_at = terminal.answered_at or now
    if terminal.backoff_until is not None:  # It did not answer last.
        measured_at = terminal.backoff_until - timedelta(seconds=config["RETRY_BASE"])
    held = timedelta(seconds=max(MIN_HELD_SECONDS, HELD_INTERVALS * config["DRIFT_INTERVAL"]))
    return measured_at if measured_at + held < now else now


def last_day(terminals: Collection[Terminal], now: datetime | None = None) -> dict[int, list[ReachabilityPeriod]]:
    """Return for each terminal, by its id, the stretches of the 24 hours until now, in their order and without gaps.

    :param now: the current moment, or a past one.
    """
    now = now or datetime.now(UTC)
    began = _changes({terminal.id for terminal in terminals}, now - DAY, now)
    return {terminal.id: list(_stretches(terminal, began.get(terminal.id, {}), now)) for terminal in terminals}


def _changes(terminal_ids: Collection[int], since: datetime, until: datetime) -> dict[int, dict[datetime, bool | None]]:
    """Return for each terminal from which moment on what was so, from what was so at a time until another one."""
    earlier = aliased(ReachabilityChange)
    first = select(func.max(earlier.at)).where(earlier.terminal_id == Terminal.id, earlier.at <= since)
    rows = select(ReachabilityChange.terminal_id, ReachabilityChange.at, ReachabilityChange.is_reachable)
    rows = rows.join(Terminal, Terminal.id == ReachabilityChange.terminal_id).where(Terminal.id.in_(terminal_ids))
    # Once for each terminal, so that an index leads to its first row.
    rows = rows.where(ReachabilityChange.at.between(func.coalesce(first.scalar_subquery(), since), until))
    rows = rows.order_by(ReachabilityChange.at, ReachabilityChange.id)
    changes: dict[int, dict[datetime, bool | None]] = {}
    for terminal_id, at, is_reachable in db.session.execute(rows):
        changes.setdefault(terminal_id, {})[at] = is_reachable
    return changes


def _stretches(terminal: Terminal, changes: dict[datetime, bool | None], now: datetime) -> Iterator[ReachabilityPeriod]:
    begins, answered = now - DAY, None
    known_until = _known_until(terminal, now)
    for at, next_answered in [*changes.items(), (known_until, None), (now, None)]:
        if begins < at <= now and (next_answered is not answered or at == now):
            yield ReachabilityPeriod(begins, at, answered)
            begins = at
        answered = next_answered


@transactional
def forget_old() -> int:
    """Delete changes that are older than KEPT_DAYS, save those since which it was so at that time; return how many."""
    kept_since = one_moment(-SECONDS_PER_DAY * KEPT_DAYS)
    later = aliased(ReachabilityChange)
    is_over = exists().where(
        later.terminal_id == ReachabilityChange.terminal_id, later.at > ReachabilityChange.at, later.at < kept_since
    )
    old = select(ReachabilityChange.id).where(ReachabilityChange.at < kept_since, is_over)
    return changed_rows(delete(ReachabilityChange).where(ReachabilityChange.id.in_(old.limit(CLEANUP_BATCH))))
