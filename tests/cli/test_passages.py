"""The command line: passages out to tables and JSON."""

import io
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select, update

from hikflask.cli import passages
from hikflask.extensions import db
from hikflask.models import Event, Terminal
from hikflask.models.event import OVERWRITTEN
from hikflask.services.core.db import transaction
from hikflask.services.passages import coverage
from tests.cli.test_operators import run
from tests.support.employees import save_with_file
from tests.support.events import AT, add_events, event_row
from tests.support.trail import entries

NOVEMBER = ("--from", "2026-11-01", "--to", "2026-11-30")


@pytest.fixture(name="settings")
def switched_on() -> dict[str, Any]:
    return {"PASSAGES": "poll", "TIMEZONE": "UTC", "PASSAGES_KEEP": 3650}


@pytest.fixture(autouse=True)
def stored(app: Flask, terminal: Terminal) -> None:
    with app.app_context():
        ivan = save_with_file()
        add_events(*(event_row(terminal, employee=ivan, at=AT + timedelta(hours=hours)) for hours in (0, 8, 24)))


def test_days_are_written_for_1c(app: Flask) -> None:
    result = run(app, "passages", "export", *NOVEMBER, "--for", "1c")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout_bytes.decode() == (
        '"Дата";"Табельный номер";"ФИО";"Подразделение";"Приход";"Уход";"Часы";"Примечание"\r\n'
        '"30.11.2026";"100222";"Иван Иванов";"Охрана";"09:00";"17:00";"8,00";""\r\n'
    )
    with app.app_context():
        (entry,) = entries("passages.exported")
        asked = {"from": "2026-11-01", "to": "2026-11-30", "for": "1c", "format": "csv"}
        assert (entry.actor, entry.after) == ("command line", asked)


def test_checkins_are_written_as_a_workbook(app: Flask) -> None:
    result = run(app, "passages", "export", *NOVEMBER, "--for", "frappe", "--format", "xlsx")

    sheet = load_workbook(io.BytesIO(result.stdout_bytes))["Employee Checkin"]
    assert [[cell.value for cell in row] for row in sheet.rows] == [
        ["employee", "time", "device_id", "log_type"],
        ["100222", "2026-11-30 09:00:00", "Вход", None],
        ["100222", "2026-11-30 17:00:00", "Вход", None],
    ]


def test_events_are_written_as_json(app: Flask) -> None:
    result = run(app, "passages", "export", *NOVEMBER, "--format", "json")

    found = json.loads(result.stdout_bytes)
    assert [(event["id"], event["kind"], event["user_id"]) for event in found] == [(1, "passed", 1), (2, "passed", 1)]
    assert json.loads(run(app, "passages", "export", "--from", "2026-01-01", "--format", "json").stdout_bytes) == []


def test_yesterday_is_written_by_default(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passages, "today", lambda: date(2026, 12, 2))

    assert [event["id"] for event in json.loads(run(app, "passages", "export", "--format", "json").stdout_bytes)] == [3]


def test_events_are_read_again(app: Flask) -> None:
    with app.app_context(), transaction():
        db.session.execute(update(Event).where(Event.id < 3).values(kind="other"))

    for changed in (2, 0):
        result = run(app, "passages", "interpret")
        assert (result.exit_code, result.output) == (0, f"Events read otherwise than before: {changed}.\n")
    with app.app_context():
        assert set(db.session.execute(select(Event.kind)).scalars()) == {"passed"}


def test_what_may_be_missing_is_said_on_standard_error(app: Flask, terminal: Terminal) -> None:
    noon = datetime(2024, 11, 28, 12, tzinfo=UTC)
    with app.app_context(), transaction():
        db.session.get_one(Terminal, terminal.id).created_at = noon - timedelta(days=30)
        coverage.extend(terminal.id, terminal.serial, noon - timedelta(days=20), noon + timedelta(days=20))
        coverage.add_gap(terminal.id, terminal.serial, noon, noon + timedelta(hours=2), OVERWRITTEN)

    result = run(app, "passages", "export", "--from", "2024-11-28", "--format", "json")

    assert json.loads(result.stdout_bytes) == []
    assert result.stderr == (
        "Passages may be missing at “Вход” from 2024-11-28 12:00 UTC to 2024-11-28 14:00 UTC: overwritten.\n"
    )


def test_command_says_why_it_writes_nothing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    reversed_days = run(app, "passages", "export", "--from", "2026-11-30", "--to", "2026-11-01")
    monkeypatch.setitem(app.config, "PASSAGES", "off")
    off = run(app, "passages", "export")

    sentence = "Error: Invalid value for --to: it must be the first day or up to 367 days on."
    assert (reversed_days.exit_code, reversed_days.stderr.splitlines()[-1]) == (2, sentence)
    assert (off.exit_code, off.stderr) == (1, "Error: The record of passages is switched off here.\n")
