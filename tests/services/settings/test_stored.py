"""What an administrator changed is in force in every process, and a machine's own settings win."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import Engine

from hikflask import create_app
from hikflask.config import SETTINGS, as_text
from hikflask.extensions import db
from hikflask.models import ChangedSetting
from hikflask.services.core import dates
from hikflask.services.settings import change, stored
from tests.support.apps import close


@pytest.fixture
def other(app: Flask, database: dict[str, str], tmp_path: Path) -> Iterator[Flask]:  # noqa: ARG001 - it has the tables
    """Another process of the same installation, which has read the settings already."""
    found = create_app({**database, "INSTANCE_PATH": str(tmp_path), "TESTING": True})
    with found.app_context():
        stored.reload()
    yield found
    close(found)


def value(app: Flask, name: str, *, later: bool = True) -> Any:
    """The value in an app that begins a request, two seconds after it looked last."""
    if later:
        app.extensions["stored_settings"].read_at -= stored.EVERY_SECONDS
    with app.app_context():
        return app.config[name]


@pytest.mark.both_databases
def test_change_is_in_force_here_at_once_and_in_another_process_within_two_seconds(app: Flask, other: Flask) -> None:
    with app.app_context():
        change.change("CAPTURE_HOLD", "60")
        change.change("COMPARE_AT", "")
        change.change("TIMEZONE", "Asia/Yekaterinburg")

        assert (app.config["CAPTURE_HOLD"], app.config["COMPARE_AT"]) == (60.0, None)
        assert str(dates.zone()) == "Asia/Yekaterinburg"
    assert value(other, "CAPTURE_HOLD", later=False) == 120.0
    assert (value(other, "CAPTURE_HOLD"), value(other, "COMPARE_AT")) == (60.0, None)
    with app.app_context():
        change.reset("CAPTURE_HOLD")
        assert app.config["CAPTURE_HOLD"] == 120.0
    assert value(other, "CAPTURE_HOLD") == 120.0


def test_table_is_read_once_in_two_seconds_and_not_with_each_request(app: Flask) -> None:
    asked: list[str] = []

    def note(*given: Any) -> None:
        asked.append(given[2])

    app.extensions["stored_settings"].read_at = float("-inf")
    event.listen(Engine, "before_cursor_execute", note)
    try:
        for _ in range(5):
            with app.app_context():
                pass
    finally:
        event.remove(Engine, "before_cursor_execute", note)

    assert len([one for one in asked if "FROM setting" in one]) == 1


def test_environment_wins_over_the_page_and_the_page_over_the_file(
    database: dict[str, str],  # noqa: ARG001 - it has the tables
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "config.py").write_text("CAPTURE_HOLD = 90\nEVENT_RETENTION = 10\n")
    monkeypatch.setenv("HIKFLASK_JOB_RETENTION", "7")
    first = create_app({"INSTANCE_PATH": str(tmp_path), "TESTING": True})
    with first.app_context():
        for name, text in {"CAPTURE_HOLD": "60", "JOB_RETENTION": "5", "AUDIT_RETENTION": "365"}.items():
            db.session.add(ChangedSetting(name=name, value=text, set_by="Анна"))
        db.session.commit()
    close(first)

    app = create_app({"INSTANCE_PATH": str(tmp_path), "TESTING": True})

    names = ("CAPTURE_HOLD", "EVENT_RETENTION", "JOB_RETENTION", "AUDIT_RETENTION")
    assert [value(app, name) for name in names] == [60.0, 10, 7, 365]
    sources = app.config["SETTING_SOURCES"]
    assert [sources[name] for name in names] == ["file", "file", "environment", "default"]
    with app.app_context():
        assert sorted(change.in_force()) == ["AUDIT_RETENTION", "CAPTURE_HOLD"]
        change.reset("CAPTURE_HOLD")
        assert app.config["CAPTURE_HOLD"] == 90.0
    close(app)


def test_text_that_cannot_be_read_or_contradicts_is_left_out(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    with app.app_context():
        for name, text in {"COMPARE_AT": "noon", "CAPTURE_HOLD": "7200", "EVENT_RETENTION": "5", "WORKER": "x"}.items():
            db.session.add(ChangedSetting(name=name, value=text, set_by="Анна"))
        db.session.commit()
        stored.reload()

        assert as_text(app.config["COMPARE_AT"]) == "03:00"
        assert (app.config["CAPTURE_HOLD"], app.config["EVENT_RETENTION"]) == (120.0, 5)
        assert app.config["WORKER"] == "external"
        assert sorted(change.in_force()) == ["EVENT_RETENTION"]
    assert "What was set on the page is left out: COMPARE_AT must be a time such as 03:00" in caplog.text
    assert "HIKFLASK_CAPTURE_RETENTION is shorter than HIKFLASK_CAPTURE_HOLD" in caplog.text


def test_program_without_tables_has_what_the_machine_sets(tmp_path: Path) -> None:
    app = create_app({"INSTANCE_PATH": str(tmp_path), "TESTING": True})

    assert value(app, "CAPTURE_HOLD") == 120.0
    close(app)


def test_text_of_each_value_is_read_as_the_same_value() -> None:
    for name, setting in SETTINGS.items():
        read = setting.read(setting.default)

        assert setting.read(as_text(read)) == read, name
