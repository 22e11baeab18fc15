"""What is alarming: read by an index, and no further than some rows."""

import socket
from typing import Any

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.services.alarms import conditions
from hikflask.services.alarms.conditions import Condition
from tests.support.disk_usage import GIGABYTE, let_be_free
from tests.support.made_backups import add_backup, run_without_backup

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def settings() -> dict[str, Any]:
    """Removals are alarming after an hour, and backups never."""
    return {"MAIL_REMOVAL_HOURS": 1, "BACKUP_MAX_AGE": 0}


def leaving(terminal: Terminal, number: str, age: float) -> None:
    """Add a removal that has been open for so many seconds."""
    row = Enrolment(terminal_id=terminal.id, number=number, desired="absent", desired_since=database_now(-age))
    db.session.add(row)
    db.session.commit()


@pytest.mark.both_databases
def test_oldest_removal_tells_since_when_and_those_that_are_due_are_named_in_order(terminal: Terminal) -> None:
    assert conditions.current() == []
    for number, age in (("3", 7200), ("1", 9000), ("2", 60)):
        leaving(terminal, number, age)

    (found,) = conditions.current()

    oldest = db.session.execute(db.select(Enrolment.desired_since).where(Enrolment.number == "1")).scalar_one()
    assert found == Condition("removals", terminal.id, oldest)
    assert found.key == f"removals:{terminal.id}"
    assert conditions.overdue_numbers(terminal.id) == ["1", "3"]


def test_removals_are_read_by_the_index_of_their_age(terminal: Terminal) -> None:
    leaving(terminal, "1", 9000)
    seen: list[tuple[str, tuple[object, ...]]] = []
    db.event.listen(db.engine, "before_cursor_execute", lambda *given: seen.append((given[2], given[3])))

    conditions.current()

    (statement, values), *_ = [given for given in seen if "FROM enrolment" in given[0]]
    plan = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    assert any("INDEX ix_enrolment_removals" in row.detail for row in plan), plan


@pytest.mark.both_databases
def test_backup_is_missed_when_there_is_none_or_the_last_one_is_too_old(app: Flask) -> None:
    app.config["BACKUP_MAX_AGE"] = 2
    assert conditions.current() == []
    run_without_backup(hours=3)
    (none,) = conditions.current()
    assert (none.kind, none.terminal_id, none.key) == ("backup", None, "backup")

    made = add_backup(hours=3)
    assert conditions.current() == [Condition("backup", None, made.finished_at)]
    add_backup(hours=1)
    assert conditions.current() == []


def test_little_space_on_the_disk_is_alarming(monkeypatch: pytest.MonkeyPatch) -> None:
    let_be_free(monkeypatch, 5 * GIGABYTE)
    assert conditions.current() == []

    let_be_free(monkeypatch, 5 * GIGABYTE - 1)

    (found,) = conditions.current()
    assert (found.kind, found.terminal_id, found.key) == ("disk", None, f"disk:{socket.gethostname()}"[:32])
