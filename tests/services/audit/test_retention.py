"""How long audit entries and certificates of erasures are kept."""

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import AuditEntry, Erasure
from hikflask.models.columns import database_now
from tests.support.retention import DAY, age, forget

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


@pytest.mark.parametrize(("ago", "left"), [(1094, 1), (1096, 0), (None, 1)])
def test_certificate_of_an_erasure_goes_with_its_entries(ago: float | None, left: int) -> None:
    erasure = Erasure(number="100222", name="Иван Иванов", requested_by="Анна", requested_at=database_now(-2000 * DAY))
    db.session.add(erasure)
    db.session.commit()
    if ago is not None:
        age(Erasure, "completed_at", ago * DAY)

    forget()

    assert db.session.query(Erasure).count() == left
