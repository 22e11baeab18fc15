"""First in, last out, and the hours between, by days of work that begin when the setting says."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import current_app

from hikflask.extensions import db
from hikflask.models import Employee, Terminal
from hikflask.models.event import BREAK_OUT, CHECK_IN, CHECK_OUT, NO_PERMISSION, OVERTIME_IN
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.keyset import PagePosition
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.passages import days
from hikflask.services.passages.days import Day, PeopleFilter, Span
from tests.support.employees import save_with_file
from tests.support.events import add_events, event_row
from tests.support.groups import add_terminals
from tests.support.statements import counted_statements

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("context")]
MOSCOW = ZoneInfo("Europe/Moscow")
MONDAY = date(2026, 11, 30)
WEEK = Span(MONDAY, MONDAY + timedelta(days=6))


@pytest.fixture(name="settings")
def in_moscow() -> dict[str, Any]:
    return {"PASSAGES": "poll", "TIMEZONE": "Europe/Moscow"}


@pytest.fixture(name="ivan")
def saved() -> Employee:
    return save_with_file()


@pytest.fixture(name="border")
def day_start(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    return lambda hour: monkeypatch.setitem(current_app.config, "PASSAGES_DAY_START", time(hour))


def at(clock: str, day: date = MONDAY) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), MOSCOW).astimezone(UTC)


@pytest.fixture(name="doors")
def directed(context: None) -> dict[str, Terminal]:  # noqa: ARG001
    """An entrance, an exit, and a terminal in the hall that has no direction, by direction."""
    ids = {way: add_terminals(way or "hall", direction=way)[way or "hall"] for way in ("in", "out", "")}
    return {way: db.session.get_one(Terminal, terminal_id) for way, terminal_id in ids.items()}


def passed(terminal: Terminal, employee: Employee, *clocks: str, day: date = MONDAY, **columns: Any) -> None:
    add_events(*(event_row(terminal, employee=employee, at=at(clock, day), **columns) for clock in clocks))


def clocks(day: Day) -> tuple[str | None, str | None, int | None]:
    moments = (day.arrival, day.departure)
    first, last = (f"{moment.astimezone(MOSCOW):%d %H:%M}" if moment else None for moment in moments)
    return first, last, day.minutes


def of(employee: Employee, span: Span = WEEK) -> dict[date, Any]:
    return {day: clocks(found) for day, found in days.of_people([employee.id], span).get(employee.id, {}).items()}


def test_first_and_last_passage_count_where_no_terminal_has_a_direction(
    doors: dict[str, Terminal], ivan: Employee
) -> None:
    passed(doors[""], ivan, "09:02:59", "12:00:00", "13:00:00", "18:07:00")
    passed(doors[""], ivan, "08:00:00", "20:00:00", kind=NO_PERMISSION, code=(5, 9))
    passed(doors[""], ivan, "09:30:00", day=MONDAY + timedelta(days=2))

    assert of(ivan) == {
        MONDAY: ("30 09:02", "30 18:07", 9 * 60 + 5),
        MONDAY + timedelta(days=2): ("02 09:30", None, None),
    }
    assert days.of_people([ivan.id], WEEK)[ivan.id][MONDAY].passages == 4


def test_directions_decide_where_terminals_have_them(doors: dict[str, Terminal], ivan: Employee) -> None:
    # Where somebody passed, and what follows.
    cases: list[tuple[dict[str, list[str]], tuple[str | None, str | None, int | None]]] = [
        ({"in": ["09:00", "14:00"], "out": ["13:00", "18:00"], "": ["08:00", "19:00"]}, ("09:00", "18:00", 540)),
        ({"in": ["09:00"], "out": []}, ("09:00", None, None)),
        ({"out": ["18:00"]}, (None, "18:00", None)),
        ({"in": ["09:00"], "": ["08:00", "17:00"]}, ("09:00", "17:00", 480)),
        ({"in": ["09:00"], "": ["08:00"]}, ("09:00", None, None)),
        ({"out": ["18:00"], "": ["10:00", "19:00"]}, ("10:00", "18:00", 480)),
        ({"out": ["18:00"], "": ["19:00"]}, (None, "18:00", None)),
        ({"in": ["22:00"], "out": ["06:00"]}, ("22:00", None, None)),
        ({"in": ["09:04", "13:24"], "out": ["12:52"]}, ("09:04", None, None)),
        ({"in": ["09:04", "13:24"], "": ["12:52"]}, ("09:04", None, None)),
        ({"in": ["09:04", "13:24"], "": ["12:52", "18:00"]}, ("09:04", "18:00", 536)),
    ]
    for number, (where, _wanted) in enumerate(cases):
        for way, times in where.items():
            passed(doors[way], ivan, *times, day=MONDAY + timedelta(days=number))

    found = of(ivan, Span(MONDAY, MONDAY + timedelta(days=len(cases) - 1)))

    assert len(found) == len(cases)
    for (arrival, departure, minutes), (where, wanted) in zip(found.values(), cases, strict=True):
        assert (arrival and arrival[3:], departure and departure[3:], minutes) == wanted, where


def test_day_tells_who_entered_after_the_last_exit_and_who_left_without_entering(
    doors: dict[str, Terminal], ivan: Employee
) -> None:
    # Where somebody passed, when they entered last without leaving, and when they left first without entering.
    cases: list[tuple[dict[str, list[str]], str | None, str | None]] = [
        ({"in": ["09:04", "13:24"], "out": ["12:52"]}, "13:24", None),
        ({"in": ["09:04", "13:24"], "": ["12:52"]}, "13:24", None),
        ({"in": ["09:04"], "out": ["18:00"]}, None, None),
        ({"in": ["09:04"], "": ["08:00"]}, None, None),
        ({"in": ["13:00"], "out": ["12:00", "18:00"]}, None, "12:00"),
        ({"": ["09:00"], "out": ["12:00", "18:00"]}, None, None),
        ({"in": ["22:00"], "out": ["06:00"]}, "22:00", "06:00"),
    ]
    for number, (where, *_wanted) in enumerate(cases):
        for way, times in where.items():
            passed(doors[way], ivan, *times, day=MONDAY + timedelta(days=number))

    found = days.of_people([ivan.id], WEEK)[ivan.id].values()

    for day, (where, *wanted) in zip(found, cases, strict=True):
        told = [f"{moment.astimezone(MOSCOW):%H:%M}" if moment else None for moment in (day.entered_at, day.left_at)]
        assert told == wanted, where


def test_button_counts_as_the_way_where_the_terminal_has_none(doors: dict[str, Terminal], ivan: Employee) -> None:
    for clock, button in (("08:00", ""), ("09:00", CHECK_IN), ("13:00", BREAK_OUT), ("14:00", OVERTIME_IN)):
        passed(doors[""], ivan, clock, attendance=button)
    assert of(ivan) == {MONDAY: ("30 09:00", None, None)}

    passed(doors[""], ivan, "18:00", attendance=CHECK_OUT)
    # The terminal's own way goes before the button.
    passed(doors["in"], ivan, "19:00", attendance=CHECK_OUT, day=MONDAY + timedelta(days=1))

    assert of(ivan) == {MONDAY: ("30 09:00", "30 18:00", 540), MONDAY + timedelta(days=1): ("01 19:00", None, None)}


def test_night_shift_is_one_day_by_the_border_of_the_day(
    doors: dict[str, Terminal], ivan: Employee, border: Callable[[int], None]
) -> None:
    passed(doors[""], ivan, "22:00")
    passed(doors[""], ivan, "06:00", "11:59:59", "22:10", day=MONDAY + timedelta(days=1))

    border(12)

    assert of(ivan) == {
        MONDAY: ("30 22:00", "01 11:59", 13 * 60 + 59),
        MONDAY + timedelta(days=1): ("01 22:10", None, None),
    }
    assert days.day_of(at("11:59:59")) == MONDAY - timedelta(days=1)
    assert days.day_of(at("12:00")) == MONDAY


def test_days_begin_by_the_clock_of_the_zone_when_it_is_changed(
    doors: dict[str, Terminal], ivan: Employee, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(current_app.config, "TIMEZONE", "Europe/Berlin")
    sunday = date(2026, 10, 25)
    hours = [days.Span(day, day).ends - days.Span(day, day).begins for day in (date(2026, 3, 29), sunday, MONDAY)]
    assert [length / timedelta(hours=1) for length in hours] == [23, 25, 24]

    begins = days.start_of(sunday)
    moments = (begins, begins + timedelta(hours=25) - timedelta(seconds=1), begins + timedelta(hours=25))
    add_events(*(event_row(doors[""], employee=ivan, at=moment) for moment in moments))

    found = days.of_people([ivan.id], Span(sunday, sunday + timedelta(days=1)))[ivan.id]
    assert [(day, one.passages, one.minutes) for day, one in found.items()] == [
        (sunday, 2, 24 * 60 + 59),
        (sunday + timedelta(days=1), 1, None),
    ]


def test_people_are_shown_by_name_whether_they_came_or_not(doors: dict[str, Terminal], ivan: Employee) -> None:
    olga = save_with_file(Draft("100333", "Ольга Ёлкина", "Склад"))
    left = save_with_file(Draft("100444", "Пётр Ушёл", "Склад"))
    gone = save_with_file(Draft("100555", "Яна Давно", "Склад"))
    passed(doors[""], ivan, "09:00", day=MONDAY + timedelta(days=1))
    passed(doors[""], left, "09:00")
    for employee in (left, gone):
        set_active(employee.id, active=False)

    for wanted, found in (
        (PeopleFilter(), [ivan, olga, left]),
        (PeopleFilter(presence="came"), [ivan, left]),
        (PeopleFilter(presence="absent"), [olga]),
        (PeopleFilter(department="склад"), [olga, left]),
        (PeopleFilter(q="ёлк"), [olga]),
    ):
        names = [employee.name for employee in found]
        assert [row.name for row in days.people(wanted, WEEK)] == names, wanted
        assert [row.name for row in days.page(wanted, WEEK, 50).rows] == names, wanted
        assert days.count(wanted, WEEK) == len(names), wanted


def test_day_is_sorted_by_arrival_and_names_who_came_later(
    doors: dict[str, Terminal], ivan: Employee, border: Callable[[int], None]
) -> None:
    border(4)
    people = {name: save_with_file(Draft(f"20{number}", name, "")) for number, name in enumerate("АБВГДЖЗ")}
    passed(doors["in"], people["Д"], "08:59:59", "14:00")
    passed(doors[""], people["Г"], "09:00:59", "17:00")
    passed(doors[""], people["Б"], "09:01")
    passed(doors["in"], people["В"], "02:00", day=MONDAY + timedelta(days=1))
    # An exit alone tells no arrival, nor does a terminal without a direction after it; before it, it does.
    passed(doors["out"], people["Ж"], "08:00")
    passed(doors[""], people["Ж"], "18:00")
    passed(doors[""], people["З"], "10:00")
    passed(doors["out"], people["З"], "12:00")
    passed(doors[""], people["А"], "07:00", kind=NO_PERMISSION, code=(5, 9))
    day = Span(MONDAY, MONDAY)

    def names(wanted: PeopleFilter) -> list[str]:
        page = days.page(wanted, day, 2)
        found = [row.name for row in page.rows]
        while page.after:
            page = days.page(wanted, day, 2, PagePosition(after=page.after))
            found += [row.name for row in page.rows]
        assert len(found) == days.count(wanted, day) == len(list(days.people(wanted, day)))
        return found

    assert names(PeopleFilter()) == ["Д", "Г", "Б", "З", "В", "А", "Ж", ivan.name]
    assert names(PeopleFilter(later=time(9))) == ["Б", "З", "В"]
    assert names(PeopleFilter(later=time(1, 59))) == ["В"]
    assert names(PeopleFilter(later=time(2))) == []
    assert names(PeopleFilter(later=time(4))) == ["Д", "Г", "Б", "З", "В"]
    assert names(PeopleFilter(employee_id=people["З"].id)) == ["З"]
    arrivals = days.of_people([person.id for person in people.values()], day)
    assert [clocks(arrivals[people[name].id][MONDAY])[0] for name in "ДГБЗВЖ"] == [
        *("30 08:59", "30 09:00", "30 09:01", "30 10:00", "01 02:00", None)
    ]


def test_month_of_many_is_one_statement(doors: dict[str, Terminal], ivan: Employee) -> None:
    passed(doors["in"], ivan, "09:00")

    with counted_statements() as statements:
        days.of_people([ivan.id, *range(100, 600)], Span(date(2026, 11, 1), date(2026, 11, 30)))

    assert len(statements) == 1
