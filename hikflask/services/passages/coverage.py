"""For which times the events of a terminal are all here, and why some may be missing for the others.

A span is complete when the terminal's own log proved it: the newest record that was read before is still there, and
all after it were read. A gap counts more than a complete span of the same time. What is neither was not read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy import delete, select, update

from hikflask.extensions import db
from hikflask.models import EventCoverage, EventLog, Terminal
from hikflask.models.event import NOT_READ, OFF, TOO_MANY
from hikflask.services.core.db import changed_rows
from hikflask.services.passages import queries, switch
from hikflask.services.passages.log_state import LogState
from hikflask.services.passages.retention import kept_since

IS_HALTED = EventLog.state["halted"].as_boolean().is_(True)


@dataclass(frozen=True)
class Span:
    """A span of time of which a terminal's events are all here, or, with a reason (GAPS), of which some may miss."""

    from_at: datetime
    to_at: datetime
    is_complete: bool
    reason: str = ""


def extend(terminal_id: int, device_serial: str, since: datetime, until: datetime, reason: str = "") -> None:
    """Write in the caller's transaction that nothing is missing of a span, or why (GAPS); it joins one beside it."""
    if since >= until:
        return
    of_device = (EventCoverage.terminal_id == terminal_id, EventCoverage.device_serial == device_serial)
    beside = update(EventCoverage).where(*of_device, EventCoverage.is_complete.is_(not reason))
    beside = beside.where(EventCoverage.reason == reason)
    if changed_rows(beside.where(EventCoverage.to_at == since).values(to_at=until)):
        return
    if changed_rows(beside.where(EventCoverage.from_at == until).values(from_at=since)):
        return
    _add(terminal_id, device_serial, since, until, is_complete=not reason, reason=reason)


def add_gap(terminal_id: int, device_serial: str, since: datetime, until: datetime, reason: str) -> None:
    """Write in the caller's transaction why events of this span may be missing: one of GAPS in models/event.py."""
    if since < until:
        _add(terminal_id, device_serial, since, until, is_complete=False, reason=reason)


def close_gap(terminal_id: int, device_serial: str, since: datetime, until: datetime) -> None:
    """Write, within the caller's transaction, that what was missing of this gap is here."""
    gap = (EventCoverage.terminal_id == terminal_id, EventCoverage.from_at == since, EventCoverage.to_at == until)
    if changed_rows(delete(EventCoverage).where(*gap, ~EventCoverage.is_complete)):
        extend(terminal_id, device_serial, since, until)


def marks_utc(terminal_id: int) -> bool:
    """True when a terminal marks the local times of its log as UTC."""
    state = db.session.execute(select(EventLog.state).where(EventLog.terminal_id == terminal_id)).scalar_one_or_none()
    return bool(LogState.read(state or {}).marked)


def halted() -> list[tuple[Terminal, date]]:
    """Return the terminals in use that recorded too many events, by name, with the day when reading stopped."""
    if not switch.is_on():
        return []
    statement = (
        select(Terminal, EventLog.state)
        .join(EventLog, EventLog.terminal_id == Terminal.id)
        .where(Terminal.is_active, IS_HALTED)
        .order_by(Terminal.name)
    )
    rows = db.session.execute(statement, execution_options={"populate_existing": True})
    return [(terminal, today.day) for terminal, state in rows if (today := LogState.read(state).today)]


def forget_all() -> None:
    """Delete all spans within the caller's transaction, once nothing that was read is here any more."""
    changed_rows(delete(EventCoverage))
    columns = (EventLog.terminal_id, EventLog.state, EventLog.complete_to, EventLog.anchor_at, EventLog.clock_offset)
    for terminal_id, state, reached, anchor_at, ahead in db.session.execute(select(*columns)).all():
        complete_to = reached
        if reached is not None and anchor_at is not None:
            # What was stored since then, up to the anchor, is deleted as well. Times are in whole seconds.
            anchored = anchor_at - timedelta(seconds=(ahead or 0) - 1)
            complete_to = max(reached, min(anchored, datetime.now(UTC)))
        kept = replace(LogState.read(state), begins=None, covered_from=None).written()
        of_terminal = update(EventLog).where(EventLog.terminal_id == terminal_id)
        changed_rows(of_terminal.values(state=kept, complete_to=complete_to))


def _add(terminal_id: int, device_serial: str, since: datetime, until: datetime, **about: Any) -> None:
    db.session.add(
        EventCoverage(terminal_id=terminal_id, device_serial=device_serial, from_at=since, to_at=until, **about)
    )
    db.session.flush()


def spans_of_each(terminals: Sequence[Terminal], now: datetime | None = None) -> dict[int, list[Span]]:
    """Return by terminal its spans since the day from which on events are kept, in order and without a hole."""
    if not terminals:
        return {}
    now = now or datetime.now(UTC)
    ids = [terminal.id for terminal in terminals]
    logs = select(EventLog.terminal_id, EventLog.state).where(EventLog.terminal_id.in_(ids))
    states = {terminal_id: LogState.read(state) for terminal_id, state in db.session.execute(logs)}
    columns = (EventCoverage.from_at, EventCoverage.to_at, EventCoverage.is_complete, EventCoverage.reason)
    rows = select(EventCoverage.terminal_id, *columns).where(EventCoverage.terminal_id.in_(ids))
    stored: dict[int, list[Span]] = {terminal_id: [] for terminal_id in ids}
    for terminal_id, from_at, to_at, is_complete, reason in db.session.execute(rows.order_by(EventCoverage.id)):
        stored[terminal_id].append(Span(from_at, to_at, is_complete, reason))
    return {
        terminal.id: _spans(terminal, states.get(terminal.id, LogState()), stored[terminal.id], now)
        for terminal in terminals
    }


def why_unknown(terminal: Terminal, since: datetime, now: datetime | None = None) -> str:
    """Return why events of a terminal since a moment may be missing, the latest reason; empty when all are here."""
    now = now or datetime.now(UTC)
    spans = [span for span in spans_of_each([terminal], now)[terminal.id] if span.to_at > since]
    # What was recorded a moment ago is still on its way.
    on_its_way = now - queries.late_after()
    gaps = [one for one in spans if not one.is_complete and not (one.reason == NOT_READ and one.from_at > on_its_way)]
    return gaps[-1].reason if gaps else ""


def _spans(terminal: Terminal, state: LogState, stored: Sequence[Span], now: datetime) -> list[Span]:
    first = min((span.from_at for span in stored), default=now)
    last = max((span.to_at for span in stored), default=first)
    # What was said last counts most.
    since = min(kept_since(), now)
    not_read = OFF if terminal.reachable is False else NOT_READ
    layers = [
        Span(since, now, False, NOT_READ),
        Span(since, first, False, state.begins or NOT_READ),
        Span(last, now, False, TOO_MANY if state.halted else not_read),
        *sorted(stored, key=lambda span: not span.is_complete),
    ]
    alike = groupby(_uppermost(layers), key=lambda span: (span.is_complete, span.reason))
    return [replace(spans[0], to_at=spans[-1].to_at) for spans in (list(group) for _, group in alike)]


def _uppermost(layers: Sequence[Span]) -> Iterator[Span]:
    """Yield, between any two ends of spans, the part of the uppermost span, the last one; the first is the ground."""
    ground = layers[0]
    ends = sorted({moment for span in layers for moment in (span.from_at, span.to_at)})
    within = [moment for moment in ends if ground.from_at <= moment <= ground.to_at]
    for since, until in pairwise(within):
        upper = next(span for span in reversed(layers) if span.from_at <= since and until <= span.to_at)
        yield replace(upper, from_at=since, to_at=until)
