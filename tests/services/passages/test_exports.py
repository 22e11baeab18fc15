"""Passages as tables: days of work for 1C, check-ins for frappe/hrms, and events as they are."""

from typing import Any

import pytest

from hikflask.extensions import db
from hikflask.models import Employee, Terminal
from hikflask.models.event import CHECK_IN, CHECK_OUT, NO_PERMISSION, UNKNOWN_PERSON
from hikflask.services.captures.drafts import Draft
from hikflask.services.passages import exports
from hikflask.services.passages.days import PeopleFilter, Span
from hikflask.services.spreadsheets import csv_writer
from tests.services.passages.test_days import MONDAY, at, passed
from tests.support.employees import save_with_file
from tests.support.events import add_events, event_row
from tests.support.groups import add_terminals

pytestmark = pytest.mark.usefixtures("context")
DAY = Span(MONDAY, MONDAY)
ALL = PeopleFilter()


@pytest.fixture(name="settings")
def in_moscow() -> dict[str, Any]:
    return {"PASSAGES": "poll", "TIMEZONE": "Europe/Moscow"}


@pytest.fixture(name="terminals")
def directed(context: None) -> dict[str, Terminal]:  # noqa: ARG001
    return {
        way: db.session.get_one(Terminal, add_terminals(name, direction=way)[name])
        for way, name in (("in", "Вход"), ("out", "=Выход"), ("", "Зал"))
    }


@pytest.fixture(name="ivan")
def saved(terminals: dict[str, Terminal]) -> Employee:
    ivan = save_with_file()
    olga = save_with_file(Draft("007", "=Ольга", "Склад"))
    passed(terminals["in"], ivan, "09:01:40", "09:01:40")
    passed(terminals["out"], ivan, "17:16:05")
    passed(terminals["in"], ivan, "12:00", kind=NO_PERMISSION, code=(5, 9))
    passed(terminals[""], olga, "08:30")
    add_events(event_row(terminals["in"], at=at("10:00"), kind=UNKNOWN_PERSON, code=(5, 76)))
    return ivan


def table(kind: str, wanted: PeopleFilter = ALL) -> list[list[str]]:
    return [row for rows in exports.tables(kind, exports.records(kind, DAY, wanted)) for row in rows]


@pytest.mark.both_databases
@pytest.mark.usefixtures("ivan")
def test_1c_gets_a_row_for_each_day_with_a_decimal_comma() -> None:
    assert table("1c") == [
        ["Дата", "Табельный номер", "ФИО", "Подразделение", "Приход", "Уход", "Часы", "Примечание"],
        ["30.11.2026", "007", "=Ольга", "Склад", "08:30", "", "", ""],
        ["30.11.2026", "100222", "Иван Иванов", "Охрана", "09:01", "17:16", "8,25", ""],
    ]
    assert [row[1] for row in table("1c", PeopleFilter(department="Охрана"))[1:]] == ["100222"]


@pytest.mark.both_databases
@pytest.mark.usefixtures("ivan")
def test_frappe_gets_each_passage_once_in_local_time() -> None:
    assert table("frappe") == [
        ["employee", "time", "device_id", "log_type"],
        ["100222", "2026-11-30 09:01:40", "Вход", "IN"],
        ["100222", "2026-11-30 17:16:05", "=Выход", "OUT"],
        ["007", "2026-11-30 08:30:00", "Зал", ""],
    ]


@pytest.mark.both_databases
@pytest.mark.usefixtures("ivan")
def test_raw_has_all_events_as_the_api_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "EVENTS", 4)

    head, *rows = table("raw")

    assert head[:8] == ["id", "device_id", "device_serial", "serial_no", "time", "device_time", "code", "kind"]
    assert [(row[4], row[6], row[8]) for row in rows] == [
        ("2026-11-30T05:30:00Z", "5/75", "007"),
        ("2026-11-30T06:01:40Z", "5/75", "100222"),
        ("2026-11-30T06:01:40Z", "5/75", "100222"),
        ("2026-11-30T07:00:00Z", "5/76", ""),
        ("2026-11-30T09:00:00Z", "5/9", "100222"),
        ("2026-11-30T14:16:05Z", "5/75", "100222"),
    ]


def test_frappe_gets_the_button_where_a_terminal_has_no_way(terminals: dict[str, Terminal]) -> None:
    ivan = save_with_file()
    passed(terminals[""], ivan, "09:00", attendance=CHECK_IN)
    passed(terminals[""], ivan, "18:00", attendance=CHECK_OUT)

    assert [row[3] for row in table("frappe")[1:]] == ["IN", "OUT"]
    head, *rows = table("raw")
    assert (head[-1], [row[-1] for row in rows]) == ("attendance", ["check_in", "check_out"])


@pytest.mark.usefixtures("ivan")
def test_no_cell_is_a_formula() -> None:
    rows = exports.tables("frappe", exports.records("frappe", DAY, ALL))

    text = "".join(csv_writer.texts(rows, separator=exports.LAYOUTS["frappe"].separator))

    assert text.splitlines()[2] == '"100222","2026-11-30 17:16:05","\'=Выход","OUT"'
