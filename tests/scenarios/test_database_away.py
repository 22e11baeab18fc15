"""PostgreSQL that takes connections and says nothing, and one that was restarted."""

import time
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask import create_app
from hikflask.background import tasks
from hikflask.extensions import db, task_queue
from tests.support.apps import close
from tests.support.postgresql import ROLE
from tests.support.silent_server import silent_server


def test_silent_database_keeps_no_health_check_and_ready_tells_of_it(tmp_path: Path) -> None:
    with silent_server() as server:
        url = f"postgresql://hik@127.0.0.1:{server.port}/hik?connect_timeout=2"
        app = create_app({"INSTANCE_PATH": str(tmp_path), "TESTING": True, "WORKER": "external", "DATABASE_URL": url})
        began = time.monotonic()
        health = app.test_client().get("/health")
        assert (health.status_code, health.json) == (200, {"status": "ok"})
        assert server.connected == []

        ready = app.test_client().get("/health/ready")

        away = {"status": "error", "database": "error", "queue": "error", "worker": "error", "disk": "ok"}
        away |= {"photos": "error"}
        assert (ready.status_code, ready.json) == (503, away)
        assert time.monotonic() - began < 10
        assert len(server.connected) == 2
        close(app)


@pytest.mark.both_databases
def test_requests_and_tasks_go_on_after_connections_were_cut(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        task_queue.enqueue(tasks.reconcile_enrolment, 1)
    assert client.get("/api/users/").status_code == 200
    cut_connections(app)

    assert client.get("/api/users/").status_code == 200
    assert client.get("/employees/").status_code == 200
    with app.app_context():
        task_queue.enqueue(tasks.reconcile_enrolment, 2)
        cut_connections(app)
        waiting = task_queue.waiting()
    assert waiting is not None
    assert waiting["terminals"].tasks == 2


def cut_connections(app: Flask) -> None:
    """Do to the app what a restart of PostgreSQL does; a file is never restarted."""
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            return
        db.session.remove()
    with psycopg.connect(app.config["DATABASE_URL"], autocommit=True) as connection:
        others = "pid <> pg_backend_pid() AND usename = %s"
        connection.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {others}", (ROLE,))
