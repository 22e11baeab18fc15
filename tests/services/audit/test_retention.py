"""How long audit entries are kept."""

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import AuditEntry, PersonKey
from hikflask.models.columns import database_now
from tests.support.retention import DAY, forget
from tests.support.trail import entry

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


def test_key_of_a_person_goes_with_the_last_entry() -> None:
    for days in (2000, 2000, 1):
        db.session.add(entry(actor="Анна", action="old", at=database_now(-days * DAY), employee=str(days)))
    db.session.commit()

    forget()

    assert [(row.number, audited()) for row in db.session.query(PersonKey)] == [("1", 1)]
