import threading
from collections import Counter
from datetime import UTC, date, datetime

import pytest

from hikflask.simulator import SkippingClock, Terminal, faces
from hikflask.simulator.company_day import DayPlayer, doings, write_day
from hikflask.simulator.terminal.clocks import WallClock
from hikflask.simulator.terminal.event_log import Record

MONDAY = date(2026, 11, 30)
NUMBERS = [str(number) for number in range(1, 6)]


@pytest.fixture
def terminal(clock: SkippingClock) -> Terminal:
    terminal = Terminal("Secret12", clock=clock)
    noon = datetime(2026, 11, 30, 12, tzinfo=UTC)
    terminal.wall_clock = WallClock(zone="CST-3:00:00", real_time=lambda: noon)
    for number in NUMBERS:
        terminal.store.add(number, {"name": f"Сотрудник {number}"})
        terminal.store.bind(number, faces.draw("anna"))
    return terminal


def codes(terminal: Terminal) -> Counter[tuple[int, int]]:
    return Counter((record.major, record.minor) for record in terminal.events.records)


def test_people_come_have_lunch_and_leave_and_each_fifth_works_at_night() -> None:
    day = doings(NUMBERS, MONDAY)

    hours = {
        number: [doing.at.hour for doing in day if doing.number == number and doing.minor == 75] for number in NUMBERS
    }
    come, lunch, back, leave = hours["1"]
    assert (come in (8, 9), lunch, back, leave in (17, 18, 19)) == (True, 12, 13, True)
    night = hours["5"]
    assert (night[0], night[1] in (21, 22), len(night)) == (6, True, 2)
    assert day == sorted(day, key=lambda doing: doing.at) == doings(NUMBERS, MONDAY)


def test_day_is_written_with_its_times_up_to_now(terminal: Terminal) -> None:
    write_day(terminal, date(2026, 11, 29))
    written = codes(terminal)
    terminal.events.reset()
    write_day(terminal, MONDAY)

    assert written[5, 75] == 4 * 4 + 2
    assert {code: written[code] for code in ((5, 76), (5, 8), (5, 104), (5, 23), (5, 28))} == {
        (5, 76): 4,
        (5, 8): 2,
        (5, 104): 1,
        (5, 23): 2,
        (5, 28): 1,
    }
    assert max(record.time for record in terminal.events.records) <= "2026-11-30T15:00:00+03:00"
    assert codes(terminal)[5, 75] == 4 * 3 + 1
    refused = next(record for record in terminal.events.records if record.minor == 8)
    assert (refused.number, refused.time[11:19]) == ("5", "09:41:00")


def test_day_is_played_now_by_whoever_is_on_the_terminal(terminal: Terminal) -> None:
    is_over = threading.Event()

    def watch(_: Record) -> None:
        today = [each for each in terminal.events.records if each.minor == 75 and each.at.date() == MONDAY]
        if len(today) == 4 * 4 + 2:
            is_over.set()

    terminal.events.listeners.append(watch)
    player = DayPlayer(terminal, day_seconds=0.01)

    player.start()
    assert is_over.wait(20)
    player.stop()

    passed = [record for record in terminal.events.records if record.minor == 75]
    assert {record.number for record in passed} == set(NUMBERS)
    assert {record.time for record in passed[18:]} == {"2026-11-30T15:00:00+03:00"}
    assert {record.at.date() for record in passed[:18]} == {date(2026, 11, 29)}


def test_terminal_without_people_sees_strangers() -> None:
    assert {doing.number for doing in doings([], MONDAY)} == {None}
