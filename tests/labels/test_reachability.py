"""The last day of a terminal in words, as bars, and the hours below them."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from flask import Flask
from flask_babel import force_locale

from hikflask.labels import reachability
from hikflask.services.terminals.reachability import ReachabilityPeriod

NOW = datetime(2026, 11, 30, 9, 30, tzinfo=UTC)


def day(*changes: tuple[float, bool | None]) -> list[ReachabilityPeriod]:
    """A day of 24 hours: from so many hours ago on this was so."""
    moments = [NOW - timedelta(hours=hours) for hours, _ in changes] + [NOW]
    states = [answered for _, answered in changes]
    return [
        ReachabilityPeriod(begins, ends, state) for (begins, ends), state in zip(pairwise(moments), states, strict=True)
    ]


SILENCES = [(hours, state) for hour in (20, 15, 10, 5) for hours, state in ((hour, False), (hour - 0.5, True))]


SAID = [
    (day((24, True)), "Answered all of the last 24 hours.", "Все последние 24 часа на связи."),
    (day((24, False)), "No answer in the last 24 hours.", "За последние 24 часа ни одного ответа."),
    (day((24, None)), "Nothing is known of the last 24 hours.", "За последние 24 часа данных нет."),
    (
        day((24, True), (6.5, False), (4.5, True)),
        "Answered for 22 h of the last 24 hours; did not answer from 03:00 to 05:00.",
        "За последние 24 часа на связи 22 ч; не отвечал с 03:00 до 05:00.",
    ),
    (
        day((24, None), (4, True), (0.25, False)),
        "Answered for 3 h 45 min of the last 24 hours; did not answer since 09:15; not known until 05:30.",
        "За последние 24 часа на связи 3 ч 45 мин; не отвечал с 09:15; нет данных до 05:30.",
    ),
    (
        day((24, False), (1, None)),
        "Did not answer until 08:30; not known since 08:30.",
        "Не отвечал до 08:30; нет данных с 08:30.",
    ),
    (
        day((24, True), *SILENCES),
        "Answered for 22 h of the last 24 hours; did not answer 4 times, last from 04:30 to 05:00.",
        "За последние 24 часа на связи 22 ч; не отвечал 4 раза, последний — с 04:30 до 05:00.",
    ),
]


def test_day_is_said_in_a_sentence(app: Flask) -> None:
    app.config["TIMEZONE"] = "UTC"
    with app.test_request_context():
        for stretches, *sentences in SAID:
            for language, sentence in zip(("en", "ru"), sentences, strict=True):
                with force_locale(language):
                    assert reachability.words(stretches) == sentence


def test_bars_fill_the_day_and_show_the_shortest_silence() -> None:
    bars = reachability.bars(day((24, None), (12, True), (6, False), (5.99, True)))

    assert [bar.tone for bar in bars] == ["none", "good", "bad", "good"]
    assert sum(bar.width for bar in bars) == pytest.approx(100, abs=0.1)
    assert [bar.begins for bar in bars] == [0.0, 50.0, 75.0, 75.69]


def test_terminal_that_comes_and_goes_draws_no_more_than_the_bars_of_a_day() -> None:
    flapping = day(*((24 - number / 60, number % 2 == 0) for number in range(24 * 60)))

    assert [(bar.tone, bar.width) for bar in reachability.bars(flapping)] == [("bad", 100.0)]


def test_hours_are_those_of_the_zone(app: Flask) -> None:
    for zone, hours in [
        ("UTC", ["12:00", "18:00", "00:00", "06:00"]),
        ("Asia/Yekaterinburg", ["18:00", "00:00", "06:00", "12:00"]),
    ]:
        app.config["TIMEZONE"] = zone
        with app.test_request_context():
            assert [hour for _, hour in reachability.hours(day((24, True)))] == hours
