"""Today's date and the beginning of a day, in the zone of the installation."""

from datetime import UTC, date, datetime

import pytest
from flask import Flask

from hikflask.services.core.dates import is_working_time, local, start_of, today

LATE = datetime(2026, 11, 25, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("Europe/Moscow", date(2026, 11, 26)), ("UTC", date(2026, 11, 25)), ("America/New_York", date(2026, 11, 25))],
)
def test_the_day_is_that_of_the_zone_that_is_set(app: Flask, zone: str, expected: date) -> None:
    app.config["TIMEZONE"] = zone

    with app.app_context():
        assert today(LATE) == expected


def test_without_a_setting_the_machine_s_own_zone_counts(app: Flask) -> None:
    app.config["TIMEZONE"] = ""

    with app.app_context():
        assert local(LATE).utcoffset() == LATE.astimezone().utcoffset()
        assert today(LATE) == LATE.astimezone().date()


def test_working_time_is_that_of_the_zone_and_the_days(app: Flask) -> None:
    app.config["TIMEZONE"] = "Europe/Moscow"
    wednesday = datetime(2026, 11, 25, tzinfo=UTC)
    with app.app_context():
        assert is_working_time(wednesday)
        app.config["WORKING_HOURS"] = "Mon-Fri 08:00-18:00"
        # In Moscow it is three hours later.
        for hour, minute, expected in ((4, 59, False), (5, 0, True), (14, 59, True), (15, 0, False)):
            assert is_working_time(wednesday.replace(hour=hour, minute=minute)) is expected
        assert not is_working_time(wednesday.replace(day=28, hour=9))
        app.config["WORKING_HOURS"] = "Sat 08:00-18:00"
        assert is_working_time(wednesday.replace(day=28, hour=9))


@pytest.mark.parametrize(
    ("day", "moment"),
    [
        (date(2026, 3, 29), datetime(2026, 3, 28, 23, 0, tzinfo=UTC)),
        (date(2026, 3, 30), datetime(2026, 3, 29, 22, 0, tzinfo=UTC)),
        (date(2026, 10, 25), datetime(2026, 10, 24, 22, 0, tzinfo=UTC)),
        (date(2026, 10, 26), datetime(2026, 10, 25, 23, 0, tzinfo=UTC)),
    ],
)
def test_days_begin_at_midnight_here_also_when_clocks_change(app: Flask, day: date, moment: datetime) -> None:
    app.config["TIMEZONE"] = "Europe/Berlin"
    with app.app_context():
        assert start_of(day) == moment
