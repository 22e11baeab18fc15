"""The clean-up of the worker: all its steps are done, whatever happens to one of them."""

import pytest
from flask import Flask

from hikflask.background.queue import CAPTURES, TERMINALS
from hikflask.background.worker import Worker
from hikflask.extensions import db
from hikflask.models import AuditEntry, OperatorSession, Photo, Terminal, Throttle
from hikflask.models.columns import database_now
from hikflask.models.operator import VIEWER
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import capture_face
from tests.support.retention import DAY, age, files, forget
from tests.support.signed_in import add_operator

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


def test_ended_sessions_and_old_tries_go() -> None:
    operator = add_operator("Анна", VIEWER)
    db.session.add(OperatorSession(key_sha256="1", operator_id=operator.id))
    db.session.add(OperatorSession(key_sha256="2", operator_id=operator.id, seen_at=database_now(-7201)))
    db.session.add(Throttle(key="old", since=database_now(-2 * DAY), count=1))
    db.session.add(Throttle(key="new", since=database_now(-60), count=1))
    db.session.commit()

    forget()

    assert db.session.execute(db.select(OperatorSession.key_sha256)).scalars().all() == ["1"]
    assert db.session.execute(db.select(Throttle.key)).scalars().all() == ["new"]


def test_step_that_fails_keeps_no_other_from_being_done(
    app: Flask, simulator: Simulated, terminal: Terminal, caplog: pytest.LogCaptureFixture
) -> None:
    app.config["PHOTO_RETENTION"] = "nonsense"
    capture_face(simulator, terminal)
    age(Photo, "created_at", 3601)
    db.session.add(AuditEntry(actor="Анна", action="old", at=database_now(-2000 * DAY)))
    db.session.commit()

    forget()

    assert "forget_photos failed" in caplog.text
    assert db.session.query(AuditEntry).filter(AuditEntry.action == "old").count() == 0
    assert files() == []


def test_threads_for_captures_and_terminals_grow_with_the_active_terminals_up_to_the_setting(app: Flask) -> None:
    app.config["WORKER_TERMINALS"] = 6
    worker = Worker(app)
    worker.start()
    try:
        threads = [dict(worker.grow())]
        for count in (5, 3):
            for _ in range(count):
                name = f"T{db.session.query(Terminal).count()}"
                registry.add(Access(name, f"http://{name}.test".lower(), "admin", "Secret12"))
            threads.append(dict(worker.grow()))
    finally:
        worker.stop()

    assert threads == [dict.fromkeys((CAPTURES, TERMINALS), count) for count in (4, 5, 6)]
