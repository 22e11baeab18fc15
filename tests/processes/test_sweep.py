"""The sweep outlives a queue, or a folder, that is out of reach for a while."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, appcontext_pushed

from hikflask.background.worker import Worker
from hikflask.extensions import db
from hikflask.models import Enrolment, Heartbeat, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import CONFIRMED
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.lifecycle import send_to_terminal
from hikflask.services.employees.save import save_employee
from hikflask.services.photos import storage
from hikflask.simulator import Terminal as Simulated
from tests.processes.processes import until


@pytest.fixture
def settings() -> dict[str, Any]:
    """A sweep that comes often."""
    return {"SWEEP_INTERVAL": 0.1, "WORKER_THREADS": 2}


@pytest.fixture
def simulator(wire: Any) -> Simulated:
    """A simulated terminal in this process."""
    simulated = Simulated("Abc12345")
    wire.put("terminal.test", simulated)
    return simulated


@contextmanager
def broken(queue: Path) -> Iterator[None]:
    """A queue that nothing can be put into."""
    with closing(sqlite3.connect(queue, isolation_level=None)) as database:
        (made,) = database.execute("SELECT sql FROM sqlite_master WHERE name = 'task'").fetchone()
        database.execute("DROP TABLE task")
        yield
        database.execute(made)


def read(app: Flask, column: Any) -> Any:
    with app.app_context():
        return db.session.execute(db.select(column)).scalar_one()


def test_worker_forgets_by_itself(app: Flask) -> None:
    with app.app_context():
        photo = storage.keep(b"a face", "1")
        storage.save(photo)
        db.session.commit()
        file = storage.folder() / photo.file
    worker = Worker(app)
    worker.start()

    until(lambda: not file.exists())
    worker.stop()


def test_sweep_goes_on_when_the_queue_is_back(app: Flask, terminal: Terminal, tmp_path: Path) -> None:
    with app.app_context():
        send_to_terminal(save_employee(Draft("1", "Анна")).row.id, terminal.id)
    worker = Worker(app)
    with broken(tmp_path / "queue.sqlite3"):
        worker.start()
        first = read(app, Heartbeat.seen_at)
        until(lambda: read(app, Heartbeat.seen_at) > first)
        second = read(app, Heartbeat.seen_at)
        until(lambda: read(app, Heartbeat.seen_at) > second)
    with app.app_context():
        db.session.execute(db.update(Enrolment).values(next_attempt_at=database_now()))
        db.session.commit()

    until(lambda: read(app, Enrolment.person) == CONFIRMED)
    worker.stop()


def test_folder_that_cannot_be_read_fails_no_other_pass(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    failures = iter(["the sweep", "the clean-up"])

    def read_folder(_: Flask) -> None:
        if next(failures, None):
            raise PermissionError

    worker = Worker(app)
    worker.start()
    with appcontext_pushed.connected_to(read_folder, app):
        until(lambda: "the clean-up failed" in caplog.text)
        first = read(app, Heartbeat.seen_at)
        until(lambda: read(app, Heartbeat.seen_at) > first)
    worker.stop()

    assert [record.getMessage() for record in caplog.records] == ["the sweep failed", "the clean-up failed"]
