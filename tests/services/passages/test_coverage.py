"""Spans that are surely complete are joined; what is missing between them, before and after has its reason."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import update

from hikflask.extensions import db
from hikflask.models import EventLog, Terminal
from hikflask.models.event import CLOCK, NEW_LOG, NOT_READ, NOT_TOLD, OFF, OVERWRITTEN
from hikflask.services.core.db import transaction
from hikflask.services.passages import coverage
from hikflask.services.passages.coverage import Span
from hikflask.services.passages.retention import kept_since
from tests.support.events import spans_of

pytestmark = pytest.mark.usefixtures("context")
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=2)
DEVICE = "DS-1"


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def extend(terminal: Terminal, since: float, until: float) -> None:
    with transaction():
        coverage.extend(terminal.id, DEVICE, at(since), at(until))


def add_gap(terminal: Terminal, since: float, until: float, reason: str) -> None:
    with transaction():
        coverage.add_gap(terminal.id, DEVICE, at(since), at(until), reason)


def shown(terminal: Terminal, now: float) -> list[tuple[float, float, Any]]:
    """Return the spans but the first in hours from noon, each with its reason, or True when it is complete."""
    spans = spans_of(terminal.id, at(now))
    assert abs(spans[0].from_at - kept_since()) < timedelta(minutes=1)
    assert all(before.to_at == after.from_at for before, after in pairwise(spans))
    hours = timedelta(hours=1)
    return [
        ((span.from_at - NOON) / hours, (span.to_at - NOON) / hours, span.is_complete or span.reason) for span in spans
    ][1:]


def test_spans_beside_each_other_are_joined_whichever_comes_first(terminal: Terminal) -> None:
    extend(terminal, 2, 3)
    extend(terminal, 3, 4)
    extend(terminal, 1, 2)
    extend(terminal, 4, 4)

    assert shown(terminal, 4) == [(1, 4, True)]


def test_spans_of_the_same_reason_are_joined_and_no_others(terminal: Terminal) -> None:
    extend(terminal, 1, 2)
    for since in (2, 3):
        with transaction():
            coverage.extend(terminal.id, DEVICE, at(since), at(since + 1), NOT_TOLD)
    extend(terminal, 4, 5)

    assert shown(terminal, 5) == [(1, 2, True), (2, 4, NOT_TOLD), (4, 5, True)]


def test_gap_counts_more_than_a_complete_span_until_it_is_closed(terminal: Terminal) -> None:
    extend(terminal, 1, 5)
    add_gap(terminal, 2, 3, OVERWRITTEN)
    add_gap(terminal, 4, 4.5, CLOCK)

    before = shown(terminal, 5)
    with transaction():
        coverage.close_gap(terminal.id, DEVICE, at(2), at(3))

    assert before == [(1, 2, True), (2, 3, OVERWRITTEN), (3, 4, True), (4, 4.5, CLOCK), (4.5, 5, True)]
    assert shown(terminal, 5) == [(1, 4, True), (4, 4.5, CLOCK), (4.5, 5, True)]


@pytest.mark.parametrize(("reachable", "reason"), [(True, NOT_READ), (None, NOT_READ), (False, OFF)])
def test_what_comes_after_the_last_reading_is_worked_out_when_it_is_shown(
    terminal: Terminal, reachable: bool | None, reason: str
) -> None:
    extend(terminal, 1, 2)
    db.session.execute(update(Terminal).values(reachable=reachable))
    db.session.commit()

    assert shown(terminal, 3) == [(1, 2, True), (2, 3, reason)]


def test_it_is_told_why_passages_of_a_time_may_be_missing_and_when_none_are(terminal: Terminal) -> None:
    assert coverage.why_unknown(terminal, at(0), at(24)) == NOT_READ

    extend(terminal, 1, 24)
    assert coverage.why_unknown(terminal, at(0), at(24)) == NOT_READ
    assert coverage.why_unknown(terminal, at(2), at(24)) == ""
    # What was recorded a moment ago is read with the next reading.
    assert coverage.why_unknown(terminal, at(2), at(24) + timedelta(seconds=30)) == ""

    add_gap(terminal, 5, 6, OVERWRITTEN)
    assert coverage.why_unknown(terminal, at(2), at(24)) == OVERWRITTEN
    assert coverage.why_unknown(terminal, at(7), at(24)) == ""

    off = db.session.get_one(Terminal, terminal.id)
    off.reachable = False
    assert coverage.why_unknown(off, at(2), at(26)) == OFF


def test_what_comes_before_the_first_record_is_said(terminal: Terminal) -> None:
    extend(terminal, 1, 2)
    unknown = spans_of(terminal.id, at(2))[0]
    db.session.add(EventLog(terminal_id=terminal.id, state={"begins": NEW_LOG}))
    db.session.commit()

    begun = spans_of(terminal.id, at(2))[0]

    assert (unknown.reason, begun.reason, begun.to_at) == (NOT_READ, NEW_LOG, at(1))


def test_terminal_that_was_never_read_has_one_gap(terminal: Terminal) -> None:
    (span,) = spans_of(terminal.id, NOON)

    assert span == Span(span.from_at, NOON, False, NOT_READ)
