"""A terminal's clock and zone beside ours: read with each check, set by one click, and proven by reading it again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.isapi import system_time
from hikflask.isapi.errors import NotSupported, RestartRequired
from hikflask.models import AuditEntry, Terminal
from hikflask.services.core.errors import ServiceError
from hikflask.services.terminals import checks, clock
from hikflask.simulator import Terminal as Simulated

pytestmark = [pytest.mark.usefixtures("context")]
NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


def shown(offset: int | None = 0, zone: str = "CST-5:00:00", at: datetime | None = NOON) -> Terminal:
    return Terminal(clock_offset=offset, zone=zone, clock_checked_at=at)


def test_clock_and_zone_are_read_with_a_check(simulator: Simulated, terminal: Terminal) -> None:
    simulator.wall_clock.drift = timedelta(minutes=-90)
    simulator.wall_clock.mode = "NTP"

    checked = checks.check(terminal.id, "test")

    assert checked.clock_offset is not None
    assert abs(checked.clock_offset + 90 * 60) < 60
    assert (checked.zone, checked.clock_mode) == (simulator.wall_clock.zone, "NTP")
    assert checked.clock_checked_at is not None


def test_clock_in_json_is_read_and_set(simulator: Simulated, terminal: Terminal) -> None:
    simulator.profile = replace(simulator.profile, time_json=True)
    simulator.trigger("clock-fast")
    assert clock.is_off(checks.check(terminal.id, "test"))

    assert not clock.is_wrong(clock.set_clock(terminal.id, "Анна"))


def test_model_without_a_clock_is_unknown_and_stops_nothing(simulator: Simulated, terminal: Terminal) -> None:
    checks.check(terminal.id, "test")
    simulator.profile = replace(simulator.profile, missing=frozenset({"System/time"}))

    checked = checks.check(terminal.id, "test")

    assert (checked.reachable, checked.clock_offset, checked.zone, checked.clock_checked_at) == (True, None, "", None)
    assert (clock.is_wrong(checked), clock.time_there(checked)) == (False, None)
    with pytest.raises(NotSupported):
        clock.set_clock(terminal.id, "Анна")


def test_setting_is_proven_by_reading_again_and_audited(app: Flask, simulator: Simulated, terminal: Terminal) -> None:
    app.config["TIMEZONE"] = "Asia/Yekaterinburg"
    simulator.wall_clock.drift, simulator.wall_clock.zone = timedelta(hours=3), "CST-8:00:00"
    checks.check(terminal.id, "test")
    simulator.log.clear()

    fixed = clock.set_clock(terminal.id, "Анна")

    assert not clock.is_wrong(fixed)
    assert (fixed.zone, simulator.wall_clock.zone, simulator.wall_clock.mode) == (
        "CST-5:00:00",
        "CST-5:00:00",
        "manual",
    )
    assert abs(simulator.wall_clock.drift) < timedelta(minutes=1)
    assert [f"{entry.method} {entry.plain_path}" for entry in simulator.log] == [
        f"{method} /ISAPI/System/time" for method in ("GET", "PUT", "GET")
    ]
    noted = db.session.execute(db.select(AuditEntry).filter_by(action="terminal.clock_set")).scalar_one()
    assert (noted.terminal, noted.before and noted.before["zone"], noted.after and noted.after["zone"]) == (
        "Вход",
        "UTC+8",
        "UTC+5",
    )


def summer_now(hours: int) -> str:
    """A zone in which it is summer from three months ago until three months on."""
    month = datetime.now(UTC).month
    return f"CST-{hours}:00:00DST01:00:00,M{(month + 8) % 12 + 1}.1.0/02:00:00,M{(month + 2) % 12 + 1}.1.0/03:00:00"


@pytest.mark.parametrize("zone", ["CST-5:00:00", summer_now(4)])
@pytest.mark.parametrize("dialect", [{"clock_mark": "none"}, {"clock_mark": "z"}, {"clock_mark": "offset"}])
def test_every_clock_has_one_zone_and_one_difference(
    app: Flask, simulator: Simulated, terminal: Terminal, dialect: dict[str, Any], zone: str
) -> None:
    app.config["TIMEZONE"] = "Asia/Yekaterinburg"
    simulator.profile = replace(simulator.profile, **dialect)
    simulator.wall_clock.zone, simulator.wall_clock.summer = zone, True
    simulator.wall_clock.drift = timedelta(minutes=5)

    checked = checks.check(terminal.id, "test")

    assert abs((checked.clock_offset or 0) - 300) < 30
    assert (clock.written(clock.offset_there(checked)), clock.is_elsewhere(checked)) == ("UTC+5", False)
    shown, ours = clock.time_there(checked), datetime.now(UTC) + timedelta(hours=5, minutes=5)
    assert shown
    assert abs(shown - ours.replace(tzinfo=None)) < timedelta(seconds=30)


@pytest.mark.parametrize(
    "dialect",
    [
        {"clock_takes": "plain", "clock_mark": "none"},
        {"clock_takes": "plain", "clock_mark": "z", "time_json": True},
        {"clock_takes": "offset", "clock_by_utc": True},
    ],
)
def test_clock_is_set_in_the_form_that_the_terminal_takes(
    app: Flask, simulator: Simulated, terminal: Terminal, dialect: dict[str, Any]
) -> None:
    app.config["TIMEZONE"] = "Asia/Yekaterinburg"
    simulator.profile = replace(simulator.profile, **dialect)
    simulator.wall_clock.drift, simulator.wall_clock.zone = timedelta(hours=3), "CST-8:00:00"
    assert clock.is_wrong(checks.check(terminal.id, "test"))

    assert not clock.is_wrong(clock.set_clock(terminal.id, "Анна"))
    assert abs(simulator.wall_clock.drift) < timedelta(minutes=1)


def test_what_is_set_at_the_next_restart_is_no_failure(simulator: Simulated, terminal: Terminal) -> None:
    simulator.profile = replace(simulator.profile, clock_after_restart=True)
    simulator.trigger("clock-fast")

    with pytest.raises(RestartRequired):
        clock.set_clock(terminal.id, "Анна")

    assert clock.is_off(db.session.get_one(Terminal, terminal.id, populate_existing=True))
    simulator.restart()
    assert not clock.is_wrong(checks.check(terminal.id, "test"))


def test_ok_without_effect_is_not_believed(simulator: Simulated, terminal: Terminal) -> None:
    simulator.before("System/time", lambda: setattr(simulator.wall_clock, "drift", timedelta(minutes=-5)))

    with pytest.raises(ServiceError, match=r"^clock_not_set$"):
        clock.set_clock(terminal.id, "Анна")

    found = db.session.get_one(Terminal, terminal.id, populate_existing=True)
    assert clock.is_off(found)


@pytest.mark.parametrize(
    ("offset", "off"), [(0, False), (59, False), (-59, False), (60, True), (-60, True), (None, False)]
)
def test_one_minute_is_worth_a_warning(offset: int | None, off: bool) -> None:
    assert clock.is_off(shown(offset)) is off


def test_zone_is_compared_with_ours_at_that_time(app: Flask) -> None:
    app.config["TIMEZONE"] = "Europe/Berlin"
    assert not clock.is_elsewhere(shown(zone="CST-2:00:00"))
    assert clock.is_elsewhere(shown(zone="CST-1:00:00"))
    assert not clock.is_elsewhere(shown(zone="CST-1:00:00", at=NOON - timedelta(days=180)))
    assert not clock.is_elsewhere(shown(zone=""))


def test_summer_time_of_the_terminal_is_its_present_zone(app: Flask, simulator: Simulated, terminal: Terminal) -> None:
    app.config["TIMEZONE"] = "Europe/Berlin"
    simulator.wall_clock.zone = "CET-1:00:00DST01:00:00,M3.5.0/02:00:00,M10.5.0/03:00:00"
    assert checks.check(terminal.id, "test").zone == simulator.wall_clock.zone
    assert system_time.offset_of(simulator.wall_clock.zone) == timedelta(hours=1)


def test_time_there_is_the_terminals_own(app: Flask) -> None:
    app.config["TIMEZONE"] = "Asia/Yekaterinburg"
    assert clock.time_there(shown(90, "CST-8:00:00")) == datetime.fromisoformat("2026-07-01T20:01:30")
    assert clock.time_there(shown(90, "")) == datetime.fromisoformat("2026-07-01T17:01:30")
    assert clock.time_there(shown(None)) is None


SUMMER_RULES = "CET-1:00:00DST01:00:00,M1.1.0/00:00:00,M12.5.6/23:59:59"


def tells(monkeypatch: pytest.MonkeyPatch, simulator: Simulated, local: datetime, zone: str, mark: str) -> None:
    words = {"timeMode": "manual", "localTime": f"{local:%Y-%m-%dT%H:%M:%S}{mark}", "timeZone": zone}
    monkeypatch.setattr(simulator.wall_clock, "fields", lambda *_, **__: words)


@pytest.mark.parametrize(
    ("ahead", "zone", "mark", "offset", "there", "doubt"),
    [
        (5, "CST-5:00:00", "+05:00", 0, "UTC+5", ""),
        (5, "CST-5:00:00", "Z", 0, "UTC+5", "marked"),
        (5, "CST-5:00:00", "+00:00", 0, "UTC+5", "marked"),
        (0, "CST-5:00:00", "Z", 0, "UTC+5", "utc"),
        (4, "CST-5:00:00", "Z", -3600, "UTC+5", "marked"),
        (5, "CST+5:00:00", "+05:00", 0, "UTC+5", "CST+5:00:00"),
        (6, "CST+5:00:00", "+05:00", 3600, "UTC+5", "CST+5:00:00"),
        (6, "GMT+05:00", "+06:00", 0, "UTC+6", ""),
        (2, SUMMER_RULES, "+02:00", 0, "UTC+2", ""),
        (2, SUMMER_RULES, "", 0, "UTC+2", ""),
        (2, SUMMER_RULES, "+00:00", 0, "UTC+2", "marked"),
        (2, SUMMER_RULES, "+01:00", 0, "UTC+2", "marked"),
        (1, SUMMER_RULES, "+01:00", 0, "UTC+1", SUMMER_RULES),
    ],
)
def test_time_and_zone_that_contradict_each_other_are_told_apart_by_our_clock(
    monkeypatch: pytest.MonkeyPatch,
    simulator: Simulated,
    terminal: Terminal,
    ahead: int,
    zone: str,
    mark: str,
    offset: int,
    there: str,
    doubt: str,
) -> None:
    tells(monkeypatch, simulator, datetime.now(UTC) + timedelta(hours=ahead), zone, mark)

    checked = checks.check(terminal.id, "test")

    assert abs((checked.clock_offset or 0) - offset) < 30
    assert (clock.written(clock.offset_there(checked)), checked.clock_doubt) == (there, doubt)
    assert checked.zone == (
        zone if doubt != zone and mark != "+06:00" else system_time.zone_of(timedelta(hours=int(mark[1:3])))
    )
    assert clock.is_wrong(checked) or doubt != zone


def test_summer_time_of_the_terminal_stays_when_its_clock_is_set(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    app.config["TIMEZONE"] = "Etc/GMT-2"
    simulator.wall_clock.zone, simulator.wall_clock.summer = SUMMER_RULES, True
    simulator.trigger("clock-fast")

    fixed = clock.set_clock(terminal.id, "Анна")

    assert (fixed.zone, simulator.wall_clock.zone) == (SUMMER_RULES, SUMMER_RULES)
    assert not clock.is_wrong(fixed)
