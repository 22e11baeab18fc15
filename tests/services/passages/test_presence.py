"""Who is inside: the last passage at an entrance or exit counts, across the border of the day, with its doubts."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from hikflask.extensions import db
from hikflask.models import Employee, Event, EventCoverage, EventLog, Terminal
from hikflask.models.event import BREAK_IN, BREAK_OUT, CHECK_IN, CHECK_OUT, NO_PERMISSION, OVERWRITTEN
from hikflask.services.core.db import transaction
from hikflask.services.passages import presence
from hikflask.services.passages.presence import Presence
from tests.support.events import add_events, event_row

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"TIMEZONE": "UTC", "PASSAGES": "poll", "PASSAGES_DAY_START": "04:00"}


@pytest.fixture
def context(app: Flask) -> Any:
    with app.app_context():
        yield
        db.session.rollback()


pytestmark = pytest.mark.usefixtures("context")


def door(name: str, direction: str, **columns: Any) -> Terminal:
    """A terminal whose log is read up to now, unless columns say otherwise."""
    read_to = columns.pop("read_to", NOW)
    terminal = Terminal(name=name, url=f"http://{len(name)}.test", username="admin", password_encrypted="x", **columns)
    terminal.direction, terminal.serial = direction, f"serial of {name}"
    with transaction():
        db.session.add(terminal)
        db.session.flush()
        db.session.add(EventLog(terminal_id=terminal.id, complete_to=read_to))
    return terminal


def employee(number: str, name: str, department: str = "Охрана", **columns: Any) -> Employee:
    with transaction():
        row = Employee(number=number, name=name, department=department, **columns)
        db.session.add(row)
    return row


def passed(terminal: Terminal, who: Employee, hours_ago: float, **about: Any) -> Event:
    return event_row(terminal, employee=who, at=NOW - timedelta(hours=hours_ago), **about)


def inside(shown: Presence) -> list[tuple[str, str]]:
    return [(person.name, person.terminal) for person in shown.people]


@pytest.mark.both_databases
def test_the_last_passage_says_where_somebody_is() -> None:
    entrance, exit_ = door("Вход", "in"), door("Выход", "out")
    gate = door("Ворота", "in")
    ivan, anna, boris = employee("1", "Иван"), employee("2", "Анна"), employee("3", "Борис", "Склад")
    add_events(
        passed(entrance, ivan, 2),
        passed(exit_, ivan, 1),
        passed(gate, ivan, 0.5),
        passed(entrance, anna, 2),
        passed(exit_, anna, 1),
        # Its terminal sent it late: the time counts, not the order in which events came.
        passed(entrance, boris, 1),
        passed(exit_, boris, 3),
    )

    shown = presence.presence(NOW)

    assert inside(shown) == [("Иван", "Ворота"), ("Борис", "Вход")]
    assert [person.passed_at for person in shown.people] == [NOW - timedelta(hours=0.5), NOW - timedelta(hours=1)]
    assert [(person.number, person.department) for person in shown.people] == [("1", "Охрана"), ("3", "Склад")]


def test_refusals_other_doors_and_terminals_without_direction_say_nothing() -> None:
    entrance, office = door("Вход", "in"), door("Кабинет", "")
    unused = door("Запасной", "in", is_active=False)
    ivan = employee("1", "Иван")
    refused = passed(entrance, ivan, 1, kind=NO_PERMISSION, code=(5, 6))
    add_events(refused, passed(office, ivan, 1), passed(unused, ivan, 1), event_row(entrance, at=NOW))

    shown = presence.presence(NOW)

    assert inside(shown) == []
    assert shown.terminals == [entrance]


@pytest.mark.both_databases
def test_button_says_the_way_where_a_terminal_has_none() -> None:
    hall, entrance = door("Зал", ""), door("Вход", "in")
    unread, silent = door("Кухня", "", read_to=NOW - timedelta(hours=5)), door("Гараж", "", read_to=None)
    ivan, anna, boris, vera = (employee(name, name) for name in ("Иван", "Анна", "Борис", "Вера"))
    add_events(
        passed(hall, ivan, 3, attendance=CHECK_IN),
        passed(hall, anna, 3, attendance=CHECK_IN),
        passed(hall, anna, 2, attendance=BREAK_OUT),
        passed(hall, boris, 2, attendance=CHECK_OUT),
        passed(hall, boris, 1, attendance=BREAK_IN),
        # Who presses nothing goes no way.
        passed(hall, boris, 0.5),
        passed(hall, vera, 0.5),
        # The terminal's own direction goes first.
        passed(entrance, vera, 1, attendance=CHECK_OUT),
        passed(unread, ivan, 30, attendance=CHECK_IN),
        passed(silent, ivan, 30),
    )

    shown = presence.presence(NOW)

    assert inside(shown) == [("Борис", "Зал"), ("Вера", "Вход"), ("Иван", "Зал")]
    assert (shown.has, shown.out_without_in) == ({"in", "out"}, 1)
    assert [terminal.name for terminal in shown.terminals] == ["Вход", "Зал", "Кухня"]
    # What is missing there may be a way out.
    assert [missing.terminal.name for missing in shown.unread] == ["Кухня"]


@pytest.mark.both_databases
def test_an_index_has_the_terminals_where_buttons_are_pressed() -> None:
    on_sqlite = db.engine.dialect.name == "sqlite"
    if not on_sqlite:
        db.session.execute(text("SET LOCAL enable_seqscan = off"))
    explain = f"EXPLAIN {'QUERY PLAN ' if on_sqlite else ''}{presence.PRESSED_AT.compile(db.engine)}"

    assert "ix_event_attendance" in str(db.session.connection().exec_driver_sql(explain).all())


def test_somebody_whom_only_the_terminal_knows_is_inside_too() -> None:
    add_events(event_row(door("Вход", "in"), number="777", name="Гость", at=NOW))

    (person,) = presence.presence(NOW).people

    assert (person.number, person.name, person.employee_id, person.department) == ("777", "Гость", None, "")


def test_somebody_whose_id_was_changed_at_noon_goes_out_by_the_new_one() -> None:
    entrance, exit_ = door("Вход", "in"), door("Выход", "out")
    ivan, anna = employee("1", "Иван"), employee("2", "Анна")
    add_events(passed(entrance, ivan, 5), passed(entrance, anna, 5))
    for who, number in ((ivan, "3"), (anna, "1")):
        with transaction():
            who.number = number
    add_events(passed(exit_, anna, 1))

    shown = presence.presence(NOW)

    assert [(person.number, person.name) for person in shown.people] == [("3", "Иван")]
    assert shown.out_without_in == 0


def test_night_shift_is_inside_across_the_border_of_the_day_and_told_apart() -> None:
    entrance = door("Вход", "in")
    day, night, forgot = employee("1", "День"), employee("2", "Ночь"), employee("3", "Забыл")
    add_events(passed(entrance, day, 4), passed(entrance, night, 11), passed(entrance, forgot, 25))

    shown = presence.presence(NOW)

    assert shown.day_began == datetime(2026, 11, 30, 4, 0, tzinfo=UTC)
    assert [person.name for person in shown.today] == ["День"]
    assert [person.name for person in shown.earlier] == ["Ночь"]


@pytest.mark.both_databases
def test_who_goes_out_without_having_come_in_is_counted() -> None:
    entrance, exit_ = door("Вход", "in"), door("Выход", "out")
    hidden, usual, left_yesterday = employee("1", "Иван"), employee("2", "Анна"), employee("3", "Борис")
    add_events(
        passed(exit_, hidden, 1),
        passed(exit_, hidden, 0.5),
        passed(entrance, usual, 10),
        passed(exit_, usual, 1),
        passed(exit_, left_yesterday, 15),
    )

    shown = presence.presence(NOW)

    assert inside(shown) == []
    assert shown.out_without_in == 1


def test_a_record_from_the_future_moves_nobody_unless_it_is_ahead_by_seconds() -> None:
    entrance, exit_ = door("Вход", "in"), door("Выход", "out")
    ivan = employee("1", "Иван")
    add_events(passed(entrance, ivan, -0.01), passed(exit_, ivan, -0.02))

    assert inside(presence.presence(NOW)) == [("Иван", "Вход")]


def test_terminals_whose_passages_may_be_missing_are_named_with_what_is_missing() -> None:
    door("Читается", "in", read_to=NOW - timedelta(minutes=1))
    late = door("Отстал", "in", read_to=NOW - timedelta(minutes=6))
    never = door("Новый", "out", read_to=None)
    gone = door("С пробелом", "in")
    began, ended = NOW - timedelta(hours=3), NOW - timedelta(hours=2)
    span = {"is_complete": False, "reason": OVERWRITTEN}
    with transaction():
        db.session.add(EventCoverage(terminal_id=gone.id, from_at=began, to_at=ended, **span))
        long_ago = {"from_at": NOW - timedelta(days=3), "to_at": NOW - timedelta(days=2)}
        db.session.add(EventCoverage(terminal_id=late.id, **long_ago, **span))

    unread = {row.terminal.name: row for row in presence.presence(NOW).unread}

    assert {*unread} == {"Отстал", "Новый", "С пробелом"}
    assert (unread["Отстал"].read_to, unread["Отстал"].gap) == (NOW - timedelta(minutes=6), None)
    assert unread["Новый"].read_to is None
    assert unread["С пробелом"].gap == (began, ended)
    assert never.direction == "out"


def test_people_are_found_by_words_and_department() -> None:
    entrance = door("Вход", "in")
    add_events(
        passed(entrance, employee("1", "Пётр Иванов"), 1),
        passed(entrance, employee("2", "Анна Петрова", "Склад"), 1),
        passed(entrance, employee("3", "Борис", ""), 1),
    )
    people = presence.presence(NOW).people

    assert [one.name for one in presence.found(people, "петр")] == ["Пётр Иванов", "Анна Петрова"]
    assert [one.name for one in presence.found(people, "петр склад")] == ["Анна Петрова"]
    assert [one.name for one in presence.found(people, department="Охрана")] == ["Пётр Иванов"]
    assert [*presence.by_department(people)] == ["Охрана", "Склад", ""]
    assert {*presence.employees(people)} == {1, 2, 3}


@pytest.mark.both_databases
def test_an_index_leads_to_the_passages_of_a_day() -> None:
    statement = presence.last_passages([door("Вход", "in")], NOW, NOW)
    compiled = statement.compile(db.engine, compile_kwargs={"literal_binds": True})
    on_sqlite = db.engine.dialect.name == "sqlite"
    if not on_sqlite:
        db.session.execute(text("SET LOCAL enable_seqscan = off"))

    plan = str(db.session.connection().exec_driver_sql(f"EXPLAIN {'QUERY PLAN ' if on_sqlite else ''}{compiled}").all())

    assert re.search(
        r"ix_event_(kind|terminal_id) \((kind|terminal_id)=\? AND occurred_at>" if on_sqlite else "ix_event_", plan
    )
