"""What a clock that was ahead for a while leaves behind: times in the future, for which work would wait for days.

Once the clock is right again, a time that is further ahead than anything may wait is now.

The worker records each jump in the audit trail, so that one is noticed though nobody did anything meanwhile.
"""

import logging
import time
from collections.abc import Iterator

from flask import current_app
from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.orm import InstrumentedAttribute

from hikflask.extensions import db
from hikflask.models import (
    Alarm,
    AuditEntry,
    Backup,
    Comparison,
    EventLog,
    IdempotencyKey,
    Operator,
    OperatorSession,
    Terminal,
    TerminalPrivacy,
    WebhookDelivery,
)
from hikflask.models.columns import database_now, one_moment
from hikflask.services import audit
from hikflask.services.core.db import along_indexes, changed_rows, end_read, transaction
from hikflask.services.state import enrolment as state
from hikflask.services.state.enrolment import ROWS, TERMINALS, Transition

log = logging.getLogger(__name__)
# So much two clocks may differ, and a transaction may last.
MARGIN_SECONDS = 300.0
DAY_SECONDS = 86400.0
# No receiver of webhooks, decision about a difference or call that is repeated waits for longer.
HOUR_SECONDS = 3600.0


def bring_back() -> int:
    """Let be now what is further ahead than anything may wait, and return how many times these were."""
    count = sum(_bring_back(column, seconds + MARGIN_SECONDS) for column, seconds in _columns())
    count += _bring_enrolments_back()
    if count:
        log.warning("the clock was set back: %s times were further ahead than anything waits, and are now", count)
    return count


def seconds_ahead() -> float:
    """Return by how many seconds the newest entry of the audit trail is in the future; 0 for what clocks may differ."""
    newest, now = db.session.execute(select(func.max(AuditEntry.at), database_now())).one()
    ahead = float((newest - now).total_seconds()) if newest else 0.0
    return ahead if ahead > MARGIN_SECONDS else 0.0


def record_jump(lead: float | None) -> float:
    """Return how many seconds the database's clock is ahead of the monotonic one; record it when that has changed.

    :param lead: what was returned before; None the first time.
    """
    now = db.session.execute(select(database_now())).scalar_one().timestamp() - time.monotonic()
    end_read()
    if lead is not None and abs(now - lead) > MARGIN_SECONDS:
        log.warning("the clock jumped by %.0f seconds", now - lead)
        audit.record_alone("clock.jumped", after={"seconds_ahead": round(now - lead)})
    return now


def _columns() -> Iterator[tuple[InstrumentedAttribute[object], float]]:
    """Yield the columns that say when something is due, or was done last, and how many seconds ahead each may be."""
    due = (Terminal.backoff_until, EventLog.next_at, WebhookDelivery.next_attempt_at, Alarm.next_try_at)
    yield from ((column, _max_wait()) for column in (*due, IdempotencyKey.claimed_until))
    yield from ((column, DAY_SECONDS) for column in (Terminal.unlock_at, TerminalPrivacy.next_at))
    of_terminals = (Terminal.drift_looked_at, Terminal.offline_since, Terminal.refused_since, EventLog.read_at)
    of_operators = (OperatorSession.started_at, OperatorSession.seen_at, OperatorSession.confirmed_at)
    others = (Comparison.started_at, Comparison.read_at, Backup.finished_at, Alarm.began_at, Alarm.told_at)
    yield from ((column, 0.0) for column in (*of_terminals, *of_operators, Operator.checked_at, *others))


def _max_wait() -> float:
    return float(max(HOUR_SECONDS, current_app.config["RETRY_MAX"], current_app.config["PASSAGES_INTERVAL"]))


def _bring_back(column: InstrumentedAttribute[object], seconds: float) -> int:
    is_ahead = column > one_moment(seconds)
    if db.session.execute(select(column).where(is_ahead).limit(1)).first() is None:
        end_read()
        return 0
    with transaction():
        return changed_rows(update(column.class_).where(is_ahead).values({column.key: database_now()}))


def _bring_enrolments_back() -> int:
    # What waits for the end of a lock at its terminal waits for as long as that.
    is_locked = exists().where(TERMINALS.c.id == ROWS.c.terminal_id, TERMINALS.c.unlock_at >= ROWS.c.next_attempt_at)
    due = (ROWS.c.next_attempt_at > one_moment(_max_wait() + MARGIN_SECONDS), ~is_locked)
    asked = (state.IS_LEAVING, ROWS.c.desired_since > one_moment(MARGIN_SECONDS))
    late = (
        ROWS.c.next_attempt_at.is_not(None),
        ROWS.c.may_arrive_until > one_moment(state.LATE_SECONDS + MARGIN_SECONDS),
    )
    postponed = _apply(state.POSTPONED, *due, next_attempt_at=database_now())
    return postponed + _apply(state.MAY_ARRIVE_FROM_NOW, *late) + _apply(state.ASKED_FOR_NOW, *asked)


def _apply(transition: Transition, *where: ColumnElement[bool], **given: object) -> int:
    with along_indexes():
        is_any = db.session.execute(select(ROWS.c.terminal_id).where(*where).limit(1)).first()
    end_read()
    if is_any is None:
        return 0
    with transaction():
        return state.apply(transition, *where, **given)
