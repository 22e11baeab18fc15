"""What was saved is said to be saved though the queue takes nothing, and the sweep does the work."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.background import tasks
from hikflask.extensions import db, task_queue
from hikflask.models import Capture, Enrolment, Job, Terminal
from hikflask.models.capture import CAPTURED
from hikflask.services.captures.lifecycle import cancel_capture, start_capture
from hikflask.services.employees.save import save_employee
from hikflask.services.terminals import leases
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, IVAN
from tests.support.retention import age

pytestmark = pytest.mark.usefixtures("worker_alive")


def test_what_is_saved_is_answered_so_though_the_queue_takes_nothing_and_the_sweep_goes_on_with_it(
    app: Flask, client: FlaskClient, terminal: Terminal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with app.app_context():
        save_employee(IVAN)
        task_queue.waiting()  # Its tables are made.
    with closing(sqlite3.connect(tmp_path / "queue.sqlite3", isolation_level=None)) as queue:
        (made,) = queue.execute("SELECT sql FROM sqlite_master WHERE name = 'task'").fetchone()
        queue.execute("DROP TABLE task")
        fields = {"name": "Вход", "device_ids": [terminal.id], "departments": [IVAN.department]}
        answer = client.post("/api/groups/", json=fields)
        queue.execute(made)

    assert answer.status_code == 201
    assert "the queue did not take run_job (OperationalError); the sweep finds it" in caplog.text
    with app.app_context():
        age(Job, "claimed_until", 1.0)
        tasks.sweep()
        task_queue.lanes(app).run_pending()
        assert db.session.execute(db.select(Enrolment.number)).scalars().all() == [IVAN.number]


def test_capture_that_the_queue_did_not_take_is_begun_by_the_sweep(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    simulator.present_alone(FACE)
    with app.app_context():
        capture_id = start_capture(terminal.id, IVAN, "Анна").id
        tasks.sweep()
        assert task_queue.lanes(app).run_pending() == 0  # It was queued just now.
        age(Capture, "created_at", 4.0)

        tasks.sweep()
        tasks.sweep()

        assert task_queue.lanes(app).run_pending() == 1
        assert db.session.get_one(Capture, capture_id, populate_existing=True).state == CAPTURED


@pytest.mark.both_databases
def test_window_of_a_capture_whose_cancel_was_lost_is_closed_by_the_sweep(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    """Who cancelled it was killed before the queue had it, while the terminal waited for a face."""
    with app.app_context():
        lease = leases.acquire(terminal.id, "worker", leases.CAPTURE, 60.0)
        capture_id = start_capture(terminal.id, IVAN, "Анна").id
        cancel_capture(capture_id)
        db.session.execute(db.update(Capture).values(lease_number=lease.number))
        db.session.execute(db.update(Terminal).values(can_cancel=True))
        db.session.commit()

        tasks.sweep()
        tasks.sweep()
        task_queue.lanes(app).run_pending()

        assert closed(simulator) == 1
        lease.release()
        tasks.sweep()
        task_queue.lanes(app).run_pending()
        assert closed(simulator) == 1


def closed(simulator: Simulated) -> int:
    return len([one for one in simulator.log if "CaptureFaceData" in one.plain_path and one.logged_in])
