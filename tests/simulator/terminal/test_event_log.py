from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from hikflask.simulator import SEED, SkippingClock, Terminal, faces
from hikflask.simulator.event_traps import EventTraps
from hikflask.simulator.terminal.clocks import WallClock
from hikflask.simulator.terminal.event_log import Condition, Record

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
ALL = Condition()


@pytest.fixture
def terminal(clock: SkippingClock) -> Terminal:
    terminal = Terminal("Secret12", clock=clock)
    terminal.wall_clock = WallClock(zone="CST-3:00:00", real_time=lambda: NOON)
    return terminal


def serials(records: Iterable[Record]) -> list[int]:
    return [record.serial_no for record in records]


def added(terminal: Terminal, **given: Any) -> Record:
    """A passage that was just written."""
    record = terminal.events.add(5, 75, **given)
    assert record is not None
    return record


def test_serial_number_rises_with_each_record_of_any_major_and_begins_again_after_the_last(terminal: Terminal) -> None:
    for code in ((5, 75), (2, 1024), (3, 1024)):
        terminal.events.add(*code)
    assert serials(terminal.events.records) == [1, 2, 3]

    terminal.events.set_traps(max_serial=4)
    terminal.events.add(5, 75)
    terminal.events.add(5, 75)

    assert serials(terminal.events.records) == [1, 2, 3, 4, 1]
    assert serials(terminal.events.find(Condition(serials=(1, 2)))) == [1, 1, 2]


def test_ring_overwrites_the_oldest_with_their_pictures(terminal: Terminal) -> None:
    first, *_ = [added(terminal, picture=faces.draw("anna")) for _ in range(4)]

    terminal.events.set_ring(3)
    terminal.events.add(5, 76)

    assert serials(terminal.events.records) == [3, 4, 5]
    assert serials(terminal.events.overwritten) == [1, 2]
    assert terminal.picture(first.picture_path) is None
    assert serials(terminal.events.find(Condition(serials=(1, 4)))) == [3, 4]


def test_log_that_was_reset_begins_with_1_and_what_it_lost_is_known(terminal: Terminal) -> None:
    terminal.events.add(5, 75)
    terminal.events.add(5, 75)

    terminal.events.reset()
    terminal.events.add(2, 1024)

    assert [(record.serial_no, record.major) for record in terminal.events.records] == [(1, 2)]
    assert serials(terminal.events.overwritten) == [1, 2]


def test_record_has_the_time_of_the_terminals_own_wrong_clock(terminal: Terminal) -> None:
    at_8 = terminal.wall_clock
    for zone, drift, shown in (
        ("CST-3:00:00", timedelta(seconds=-92), "2026-11-30T14:58:28+03:00"),
        ("CST-8:00:00", timedelta(), "2026-11-30T20:00:00+08:00"),
    ):
        at_8.zone, at_8.drift = zone, drift
        assert added(terminal).time == shown
    terminal.trigger("clock-lost")
    assert added(terminal).time == "1970-01-01T00:00:00+08:00"


def test_record_of_another_moment_is_written_in_the_terminals_offset_and_whole_seconds(terminal: Terminal) -> None:
    record = added(terminal, at=datetime(2026, 11, 29, 8, 0, 1, 999, tzinfo=timezone(timedelta(hours=5))))

    assert record.time == "2026-11-29T06:00:01+03:00"


def test_records_are_found_by_time_so_that_serial_numbers_are_out_of_order_once_the_clock_was_set_back(
    terminal: Terminal,
) -> None:
    terminal.events.add(5, 75)
    terminal.trigger("clock-slow")
    terminal.events.add(5, 76)
    terminal.events.add(5, 9)

    assert serials(terminal.events.find(ALL)) == [2, 3, 1]
    assert serials(terminal.events.find(replace(ALL, newest_first=True))) == [1, 3, 2]


def test_later_page_is_of_the_list_that_the_first_one_found_unless_the_firmware_keeps_none(terminal: Terminal) -> None:
    terminal.events.add(5, 75)
    terminal.events.search("a1", 0, ALL)
    terminal.events.add(5, 75)

    assert serials(terminal.events.search("a1", 1, ALL)) == [1]
    assert serials(terminal.events.search("b2", 1, ALL)) == [1, 2]
    assert serials(terminal.events.search("a1", 0, ALL)) == [1, 2]
    terminal.events.set_traps(keeps_searches=False)
    terminal.events.add(5, 75)
    assert serials(terminal.events.search("a1", 1, ALL)) == [1, 2, 3]


def test_record_of_a_major_that_the_terminal_keeps_none_of_is_not_written(clock: SkippingClock) -> None:
    terminal = Terminal("Secret12", clock=clock, profile=replace(SEED, events=EventTraps(majors=(5,))))

    assert terminal.events.add(2, 1024) is None
    assert added(terminal).serial_no == 1


def test_two_pictures_of_one_second_are_two_files(terminal: Terminal) -> None:
    one, other = (added(terminal, picture=faces.draw(name)) for name in ("anna", "boris"))

    assert one.picture_path == "/LOCALS/pic/acsLinkCap/202611_00/30_150000_30075_0.jpeg@WEB000000000001"
    assert other.picture_path == "/LOCALS/pic/acsLinkCap/202611_00/30_150000_30075_1.jpeg@WEB000000000002"
    assert terminal.picture(one.picture_path) == faces.passage(faces.draw("anna"))
