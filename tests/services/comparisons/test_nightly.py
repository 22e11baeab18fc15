"""Each terminal in use is compared once a night."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.services.comparisons import nightly

pytestmark = pytest.mark.usefixtures("context")

ZONE = ZoneInfo("Asia/Yekaterinburg")


@pytest.fixture
def settings() -> dict[str, str]:
    return {"TIMEZONE": "Asia/Yekaterinburg", "COMPARE_AT": "03:00"}


def at(clock: str, day: int = 2) -> list[int]:
    """Claim what is due at a time of the clock there, in March of a year to come."""
    hour, minute = map(int, clock.split(":"))
    return nightly.claim_due(datetime(2030, 3, day, hour, minute, tzinfo=ZONE))


def test_terminal_is_due_once_a_night_from_the_time_on(terminal: Terminal) -> None:
    assert [at("02:59"), at("03:00"), at("03:00"), at("05:59")] == [[], [terminal.id], [], []]
    assert [at("12:00", 3), at("04:10", 3)] == [[], [terminal.id]]


def test_night_that_begins_before_midnight_is_one(app: Flask, terminal: Terminal) -> None:
    app.config.update(COMPARE_AT=time(23, 30))

    assert [at("23:40"), at("00:10", 3), at("23:30", 3)] == [[terminal.id], [], [terminal.id]]


@pytest.mark.usefixtures("terminal")
def test_nothing_is_due_without_a_time_or_for_what_is_not_in_use(app: Flask) -> None:
    db.session.execute(db.update(Terminal).values(is_active=False))
    db.session.commit()
    assert at("03:00") == []
    db.session.execute(db.update(Terminal).values(is_active=True))
    db.session.commit()
    app.config.update(COMPARE_AT=None)
    assert at("03:00") == []


def test_terminal_that_is_new_since_then_waits_for_the_next_night(terminal: Terminal) -> None:
    added = datetime(2030, 3, 2, 3, 30, tzinfo=ZONE)
    db.session.execute(db.update(Terminal).values(created_at=added))
    db.session.commit()

    assert [at("04:00"), at("03:00", 3)] == [[], [terminal.id]]
