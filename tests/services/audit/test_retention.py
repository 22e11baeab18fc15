"""How long audit entries, sessions and tries are kept."""

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import AuditEntry, OperatorSession, Photo, Terminal, Throttle
from hikflask.models.columns import database_now
from hikflask.services.accounts import operators
from hikflask.simulator import Terminal as Simulated
from tests.support.retention import DAY, age, files, forget, take

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


def audited() -> int:
    return db.session.query(AuditEntry).filter(AuditEntry.action == "old").count()


def add_entry(days_ago: float) -> None:
    db.session.add(AuditEntry(actor="Анна", action="old", at=database_now(-days_ago * DAY)))
    db.session.commit()


@pytest.mark.parametrize(("days", "ago", "left"), [(1095, 1094, 1), (1095, 1096, 0), (30, 29.99, 1), (30, 30.01, 0)])
def test_audit_entries_go_after_their_time(app: Flask, days: int, ago: float, left: int) -> None:
    app.config["AUDIT_RETENTION"] = days
    add_entry(ago)

    forget()

    assert audited() == left


def test_many_old_entries_go_over_several_passes() -> None:
    db.session.add_all([AuditEntry(actor="Анна", action="old", at=database_now(-2000 * DAY)) for _ in range(300)])
    db.session.commit()

    forget()
    assert audited() == 100
    forget()
    assert audited() == 0


def test_ended_sessions_and_old_tries_go() -> None:
    operator = operators.create("Анна", "correct horse battery", "viewer")
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
    take(simulator, terminal)
    age(Photo, "created_at", 3601)
    add_entry(2000)

    forget()

    assert "forget_photos failed" in caplog.text
    assert (audited(), files()) == (0, [])
