from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hikflask.simulator import SkippingClock, Terminal, faces
from hikflask.simulator.terminal.clocks import WallClock

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
ANNA = faces.draw("anna")


@pytest.fixture
def terminal(clock: SkippingClock) -> Terminal:
    terminal = Terminal("Secret12", clock=clock)
    terminal.wall_clock = WallClock(zone="CST-3:00:00", real_time=lambda: NOON)
    terminal.store.add("1", {"name": "Анна"})
    terminal.store.bind("1", ANNA)
    return terminal


def written(terminal: Terminal) -> list[tuple[int, int]]:
    return [(record.major, record.minor) for record in terminal.events.records]


def test_person_who_passes_leaves_a_picture_and_opens_the_lock(terminal: Terminal) -> None:
    terminal.pass_by("1", at=NOON - timedelta(hours=1))

    passed, opened, closed = terminal.events.records
    assert (passed.major, passed.minor, passed.number, passed.name) == (5, 75, "1", "Анна")
    assert terminal.picture(passed.picture_path) == faces.passage(ANNA)
    assert [(opened.minor, opened.time), (closed.minor, closed.time)] == [
        (21, "2026-11-30T14:00:00+03:00"),
        (22, "2026-11-30T14:00:05+03:00"),
    ]


@pytest.mark.parametrize(
    ("fields", "minor"),
    [
        ({"Valid": {"enable": True, "beginTime": "2025-01-01T00:00:00", "endTime": "2026-11-30T14:59:59"}}, 8),
        ({"Valid": {"enable": True, "beginTime": "2026-11-30T15:00:01", "endTime": "2027-01-01T00:00:00"}}, 8),
        ({"Valid": {"enable": True, "beginTime": "2025-01-01T00:00:00", "endTime": "2026-11-30T15:00:00"}}, 75),
        ({"Valid": {"enable": False, "beginTime": "2025-01-01T00:00:00", "endTime": "2025-01-02T00:00:00"}}, 75),
        ({"doorRight": ""}, 6),
        ({"RightPlan": []}, 6),
    ],
)
def test_person_without_the_right_is_refused_by_number_and_the_lock_stays_shut(
    terminal: Terminal, fields: dict[str, Any], minor: int
) -> None:
    terminal.store.change("1", fields)

    assert terminal.pass_by("1") == minor

    record = terminal.events.records[0]
    assert (record.minor, record.number) == (minor, "1")
    assert (record.name, len(terminal.events.records)) == (("", 1) if minor != 75 else ("Анна", 3))


def test_person_passes_within_the_hours_of_one_of_the_templates(terminal: Terminal) -> None:
    terminal.plans.add(10, "Утро", {"Monday": [("08:00:00", "15:00:00")]})
    terminal.plans.add(11, "День", {"Monday": [("15:00:00", "24:00:00")]})

    for templates, minor in (("10", 7), ("11", 75), ("10,11", 75), ("12", 7), ("1", 75)):
        terminal.store.change("1", {"RightPlan": [{"doorNo": 1, "planTemplateNo": templates}]})
        assert terminal.pass_by("1") == minor, templates


def test_whom_the_terminal_does_not_know_has_neither_number_nor_name(terminal: Terminal) -> None:
    terminal.store.add("2", {"name": "Без лица"})

    for number, minor in ((None, 75), ("5", 75), ("2", 75), ("1", 1), (None, 38)):
        terminal.pass_by(number, minor)

    assert written(terminal) == [(5, 76), (5, 76), (5, 76), (5, 9), (5, 39)]
    assert {(record.number, record.name) for record in terminal.events.records} == {("", "")}
    assert terminal.events.records[0].picture


def test_person_passes_by_a_card_or_a_finger(terminal: Terminal) -> None:
    terminal.store.save_card("77", {"employeeNo": "1"})

    terminal.pass_by("1", 1)
    terminal.pass_by("1", 38)

    assert written(terminal)[::3] == [(5, 1), (5, 38)]
    assert terminal.events.records[0].fields == {"cardNo": "77"}


def test_card_that_is_held_to_a_terminal_that_captures_none_lets_its_owner_pass(terminal: Terminal) -> None:
    for number in ("77", "00aB12"):
        terminal.store.save_card(number, {"employeeNo": "1"})

    outcome = terminal.present_card("00aB12")

    assert (outcome, written(terminal)) == (1, [(5, 1), (5, 21), (5, 22)])
    record = terminal.events.records[0]
    assert (record.number, record.name, record.fields) == ("1", "Анна", {"cardNo": "00aB12"})


def test_card_that_nobody_has_is_written_with_its_number_and_opens_nothing(terminal: Terminal) -> None:
    terminal.store.save_card("00aB12", {"employeeNo": "1"})

    assert terminal.present_card("00AB12") == 9

    (record,) = terminal.events.records
    assert (record.minor, record.number, record.fields) == (9, "", {"cardNo": "00AB12"})


def test_another_code_is_written_as_it_is(terminal: Terminal) -> None:
    assert terminal.pass_by(None, 104) == 104
    assert written(terminal) == [(5, 104)]


def test_door_that_is_kept_closed_opens_for_nobody_and_one_that_is_open_needs_no_lock(terminal: Terminal) -> None:
    terminal.control_door("alwaysClose")
    terminal.pass_by("1")
    terminal.control_door("alwaysOpen")
    terminal.pass_by("1")

    assert written(terminal) == [(3, 1027), (5, 117), (3, 1026), (5, 21), (5, 75)]


def test_exit_button_and_a_door_held_open(terminal: Terminal) -> None:
    terminal.press_exit_button()
    terminal.hold_door_open(60)

    assert written(terminal) == [(5, 23), (5, 21), (5, 22), (5, 24), (5, 25), (5, 28), (5, 26)]
    assert [record.time[11:19] for record in terminal.events.records[4:]] == ["14:59:00", "14:59:30", "15:00:00"]
