"""At which terminals passages of some days may be missing."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import current_app

from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.models.event import NOT_READ, OVERWRITTEN
from hikflask.services.core.db import transaction
from hikflask.services.passages import coverage, uncertain_passages
from hikflask.services.passages.days import Span
from tests.support.groups import add_terminals
from tests.support.statements import counted_statements

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("context")]
MONDAY = date(2026, 11, 30)
WEEK = Span(MONDAY, MONDAY + timedelta(days=6))
BEGINS = datetime(2026, 11, 30, tzinfo=UTC)
WEDNESDAY_NOON = BEGINS + timedelta(days=2, hours=12)


@pytest.fixture(name="settings")
def in_utc() -> dict[str, Any]:
    return {"PASSAGES": "poll", "TIMEZONE": "UTC", "PASSAGES_KEEP": 3650}


@pytest.fixture(name="door")
def added(context: None) -> Terminal:  # noqa: ARG001
    """A terminal that is here for long."""
    terminal_id = add_terminals("Вход", created_at=BEGINS - timedelta(days=100), reachable=True)["Вход"]
    return db.session.get_one(Terminal, terminal_id)


def cover(door: Terminal, first: float, last: float, reason: str = "") -> None:
    """Write that from so many hours after Monday's beginning on all was read, or some of it is missing."""
    span = (door.id, "DS-1", BEGINS + timedelta(hours=first), BEGINS + timedelta(hours=last))
    with transaction():
        if reason:
            coverage.add_gap(*span, reason)
        else:
            coverage.extend(*span)


def found(span: Span = WEEK, now: datetime = WEDNESDAY_NOON) -> list[tuple[str, float, float, str]]:
    def hours(at: datetime) -> float:
        return (at - BEGINS) / timedelta(hours=1)

    return [
        (doubt.terminal.name, hours(gap.from_at), hours(gap.to_at), gap.reason)
        for doubt in uncertain_passages.find(span, now)
        for gap in doubt.gaps
    ]


def test_doubts_of_many_terminals_take_as_many_statements_as_those_of_one() -> None:
    add_terminals("Вход", "Выход", "Склад", created_at=BEGINS - timedelta(days=100))

    with counted_statements() as statements:
        assert [name for name, *_ in found()] == ["Вход", "Выход", "Склад"]
    assert len(statements) == 3


def test_nothing_is_in_doubt_where_the_log_was_read_whole_a_moment_ago(door: Terminal) -> None:
    cover(door, -50, 60 - 1 / 60)

    with counted_statements() as statements:
        assert found() == []
    assert len(statements) == 1


def test_gaps_are_said_as_far_as_they_are_in_these_days(door: Terminal) -> None:
    cover(door, -50, 60)
    cover(door, -3, 2, OVERWRITTEN)
    cover(door, 30, 31, OVERWRITTEN)

    assert found() == [("Вход", 0, 2, OVERWRITTEN), ("Вход", 30, 31, OVERWRITTEN)]
    assert uncertain_passages.days_in(uncertain_passages.find(WEEK, WEDNESDAY_NOON)) == {
        MONDAY,
        MONDAY + timedelta(days=1),
    }
    assert found(Span(MONDAY + timedelta(days=2), MONDAY + timedelta(days=2))) == []


def test_what_was_not_read_for_some_time_or_not_yet_is_missing(door: Terminal) -> None:
    late = max(4 * current_app.config["PASSAGES_INTERVAL"], 120) / 3600
    cover(door, 5, 50)

    assert found() == [("Вход", 0, 5, NOT_READ), ("Вход", 50, 60 - late, NOT_READ)]


def test_time_before_a_terminal_was_here_and_terminals_that_are_gone_are_no_doubt(door: Terminal) -> None:
    with transaction():
        door.created_at = BEGINS + timedelta(hours=10)
    cover(door, 10, 60)
    assert found() == []

    cover(door, 20, 21, OVERWRITTEN)
    with transaction():
        door.is_active = False
    assert found() == []
