from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hikflask.simulator.errors import Refusal
from hikflask.simulator.profiles import ClockTakes
from hikflask.simulator.terminal.clocks import WallClock

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def wall_clock(**given: Any) -> WallClock:
    return WallClock(real_time=lambda: NOON, **{"zone": "CST-5:00:00", **given})


def test_sign_of_the_zone_is_the_other_way_round() -> None:
    assert wall_clock().shown() == "2026-11-27T17:00:00+05:00"
    assert wall_clock(zone="EST+3:30:00").shown() == "2026-11-27T08:30:00-03:30"


def test_clock_that_is_fast_stays_so_until_it_is_set() -> None:
    clock = wall_clock(drift=timedelta(minutes=5))
    assert clock.fields() == {
        "timeMode": "manual",
        "localTime": "2026-11-27T17:05:00+05:00",
        "timeZone": "CST-5:00:00",
    }

    clock.set({"timeMode": "manual", "localTime": "2026-11-27T15:00:00+03:00", "timeZone": "CST-3:00:00"})

    assert clock.shown() == "2026-11-27T15:00:00+03:00"


def test_time_can_stand_without_its_offset_or_marked_as_utc() -> None:
    told = {mark: wall_clock().shown(mark) for mark in ("none", "z")}
    assert told == {"none": "2026-11-27T17:00:00", "z": "2026-11-27T17:00:00Z"}
    assert wall_clock(zone="EST+3:30:00").fields(by_utc=True)["timeZone"] == "GMT-03:30"


def test_summer_time_is_an_hour_more_where_the_zone_has_it() -> None:
    assert wall_clock(summer=True).shown() == "2026-11-27T17:00:00+05:00"
    assert wall_clock(zone="CET-1:00:00DST01:00:00,M3.5.0", summer=True).shown() == "2026-11-27T14:00:00+02:00"


@pytest.mark.parametrize(
    ("takes", "local"), [("plain", "2026-11-27T18:00:00+05:00"), ("offset", "2026-11-27T18:00:00")]
)
def test_time_in_the_other_form_is_refused(takes: ClockTakes, local: str) -> None:
    with pytest.raises(Refusal):
        wall_clock().refuse_other_form({"localTime": local}, takes)


def test_what_is_set_at_the_restart_waits_for_it() -> None:
    clock = wall_clock()
    clock.set_at_restart({"localTime": "2026-11-27T18:00:00"})
    assert clock.drift == timedelta()
    clock.restart()
    assert clock.drift == timedelta(hours=1)


def test_time_without_an_offset_is_of_the_zone() -> None:
    clock = wall_clock()
    clock.set({"localTime": "2026-11-27T18:00:00"})
    assert clock.drift == timedelta(hours=1)


def test_ntp_sets_it_right() -> None:
    clock = wall_clock(drift=timedelta(minutes=5))
    clock.set({"timeMode": "NTP"})
    assert (clock.shown(), clock.mode) == ("2026-11-27T17:00:00+05:00", "NTP")


@pytest.mark.parametrize(
    "fields", [{"timeMode": "guess"}, {"timeZone": "Asia/Yekaterinburg"}, {"localTime": "noon"}, {"timeZone": ""}]
)
def test_anything_else_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(Refusal):
        wall_clock().set(fields)
