"""Passages as pictures: the bars of the hours, the dots of the days, and the sentences that say the same."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask_babel import force_locale

from hikflask.labels import passage_plots as plots
from hikflask.models import Event
from hikflask.models.event import NO_PERMISSION, OFF, PASSED

NOW = datetime(2026, 11, 30, 9, 20, tzinfo=UTC)


@pytest.fixture
def settings() -> dict[str, str]:
    return {"TIMEZONE": "Europe/Moscow"}


def event(at: datetime, kind: str = PASSED) -> Event:
    return Event(occurred_at=at, kind=kind)


def test_hours_are_bars_with_those_who_were_not_let_in_on_top(app: Flask) -> None:
    entries = [(NOW - timedelta(hours=2), True)] * 3 + [(NOW - timedelta(hours=2), False), (NOW, True)]
    with app.test_request_context(), force_locale("en"):
        first, last = plots.hour_bars(entries, NOW)
        assert (first.x, first.height, first.denied, first.words) == (
            87.5,
            64.0,
            16.0,
            "10:00–11:00: 3 passages, not let in: 1",
        )
        assert (last.x, last.height, last.denied) == (95.83, 16.0, 0.0)
        assert plots.hour_words(entries, now=NOW) == (
            "In the last 24 hours 4 passages, not let in: 1; most at 10:00–11:00 (4)."
        )
        assert [hour for _place, hour in plots.hour_marks(NOW)] == ["18:00", "00:00", "06:00", "12:00"]
        assert plots.hour_words([], now=NOW) == "Nobody came in the last 24 hours."


@pytest.mark.parametrize(
    ("locale", "sentence"),
    [
        ("en", "No passage of the last 24 hours is known, and some may be missing: the terminal does not answer."),
        (
            "ru",
            "За последние 24 часа не известно ни об одном проходе, но могли узнать не обо всех: терминал не отвечает.",
        ),
    ],
)
def test_where_passages_may_be_missing_it_is_not_said_that_nobody_came(app: Flask, locale: str, sentence: str) -> None:
    with app.test_request_context(), force_locale(locale):
        assert plots.hour_words([], OFF, NOW) == sentence


def test_days_are_columns_of_dots_with_the_newest_at_the_right(app: Flask) -> None:
    events = [
        event(NOW),
        event(NOW - timedelta(days=2, hours=6), NO_PERMISSION),
        event(NOW - timedelta(days=2, hours=9)),
    ]
    with app.test_request_context(), force_locale("ru"):
        dots = plots.dots(events)
        assert [(dot.x, dot.kind) for dot in dots] == [(95.0, "passed"), (85.0, "denied"), (85.0, "passed")]
        assert [dot.y for dot in dots] == [49.3, 25.3, 13.3]
        # The other one would stand over it on a phone.
        assert plots.dot_days(events) == [(95.0, "30.11")]
        assert plots.dot_words(events) == "28 ноября 2026 — 30 ноября 2026: 2 прохода, отказов: 1."
        assert plots.dot_words(events[:1]) == "30 ноября 2026: 1 проход."
