"""The health checks: the process alone, and all that the work needs; public, and they tell nothing more."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from hikflask.extensions import db
from hikflask.models import Heartbeat, Photo
from hikflask.models.columns import database_now
from tests.support.away import take_away

ALL_THERE = {"status": "ok", "database": "ok", "queue": "ok", "worker": "ok", "disk": "ok", "photos": "ok"}
# Those that are asked of the database.
PARTS = ("database", "worker", "photos")


def ready(app: Flask) -> tuple[int, object]:
    """What somebody who is not signed in is told."""
    answer = app.test_client().get("/health/ready")
    return answer.status_code, answer.json


@pytest.mark.both_databases
@pytest.mark.usefixtures("worker_alive")
def test_ready_says_that_database_queue_and_a_worker_are_there(app: Flask) -> None:
    assert ready(app) == (200, ALL_THERE)

    with app.app_context():
        db.session.execute(db.update(Heartbeat).values(seen_at=database_now(-60)))
        db.session.commit()

    assert ready(app) == (503, {**ALL_THERE, "status": "error", "worker": "error"})


@pytest.mark.usefixtures("worker_alive")
def test_log_has_a_line_when_a_part_begins_to_fail_and_one_when_it_is_well_again(
    app: Flask, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def lines() -> list[str]:
        return [record.getMessage() for record in caplog.records if "queue" in record.getMessage()]

    take_away(tmp_path / "queue.sqlite3")
    for _ in range(3):
        ready(app)
    assert lines() == ["not ready: the storage of the queue does not answer"]
    (tmp_path / "queue.sqlite3").rmdir()
    for _ in range(3):
        ready(app)
    assert lines() == ["not ready: the storage of the queue does not answer", "well again: queue"]


@pytest.mark.usefixtures("worker_alive")
def test_what_is_away_is_said_by_its_name_and_the_process_is_well_all_the_same(app: Flask, tmp_path: Path) -> None:
    take_away(tmp_path / "queue.sqlite3")

    assert ready(app) == (503, {**ALL_THERE, "status": "error", "queue": "error"})

    with app.app_context():
        db.engine.dispose()
    take_away(tmp_path / "hikflask.sqlite3")

    assert ready(app) == (503, {**dict.fromkeys(ALL_THERE, "error"), "disk": "ok"})
    health = app.test_client().get("/health")
    assert (health.status_code, health.json) == (200, {"status": "ok"})


@pytest.mark.usefixtures("worker_alive")
def test_ready_says_that_the_photos_are_gone(app: Flask) -> None:
    with app.app_context():
        db.session.add(Photo(file="1_a.jpg", sha256="0", source="upload"))
        db.session.commit()

    assert ready(app) == (503, {**ALL_THERE, "status": "error", "photos": "error"})


@pytest.mark.usefixtures("worker_alive")
def test_damaged_page_of_a_table_is_seen(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        db.session.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        page = db.session.execute(text("SELECT rootpage FROM sqlite_master WHERE name = 'employee'")).scalar_one()
        db.session.remove()
        db.engine.dispose()
    assert ready(app) == (200, ALL_THERE)
    with app.app_context():
        db.engine.dispose()
    with open(tmp_path / "hikflask.sqlite3", "r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(bytes(2000))

    assert ready(app) == (503, {**dict.fromkeys(ALL_THERE, "ok"), **dict.fromkeys(("status", *PARTS), "error")})
