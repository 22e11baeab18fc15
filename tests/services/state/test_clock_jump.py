"""A clock that was days ahead and was put right freezes nothing."""

from typing import Any

import pytest

from hikflask.extensions import db
from hikflask.metrics import exposition
from hikflask.models import AuditEntry, Backup, Enrolment, EventLog, OperatorSession, Terminal, TerminalPrivacy
from hikflask.models.columns import database_now
from hikflask.services.employees import lifecycle
from hikflask.services.enrolments import schedule
from hikflask.services.passages import intake
from hikflask.services.state import clock_jump
from hikflask.services.terminals import people_changes
from hikflask.simulator import Terminal as Simulated
from tests.support.enrolments import employee_of, enrol
from tests.support.made_backups import add_backup
from tests.support.retention import DAY, age, forget
from tests.support.signed_in import add_operator, open_session

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"PASSAGES": "poll"}


def is_ahead(table: Any, column: str) -> bool:
    """Whether any row has a time that is ahead by more than clocks may differ."""
    there = db.select(table).where(getattr(table, column) > database_now(clock_jump.MARGIN_SECONDS)).limit(1)
    found = db.session.execute(there).first() is not None
    db.session.rollback()
    return found


def oldest_removal() -> float:
    """What Prometheus is told of it."""
    (found,) = [one for one in exposition.read_gauges() if one.name == "hikflask_removal_oldest_seconds"]
    db.session.rollback()
    return found.samples[0].value


def test_removal_asked_for_while_the_clock_was_ahead_is_due_and_its_age_counts_from_now(
    terminal: Terminal, simulator: Simulated, caplog: pytest.LogCaptureFixture
) -> None:
    lifecycle.set_active(employee_of(enrol(simulator, terminal)), active=False)
    for column in ("next_attempt_at", "desired_since"):
        age(Enrolment, column, -2 * DAY)
    assert (schedule.claim_turns(), oldest_removal()) == ([], 0.0)

    forget()

    assert "the clock was set back: 2 times were further ahead than anything waits, and are now" in caplog.text
    assert len(schedule.claim_turns()) == 1
    assert 0.0 <= oldest_removal() < 60.0
    age(Enrolment, "desired_since", 7200)
    forget()
    assert oldest_removal() >= 7200


def test_attempt_that_waits_as_long_as_attempts_may_or_for_the_end_of_a_lock_goes_on_waiting(
    terminal: Terminal, simulator: Simulated
) -> None:
    enrol(simulator, terminal)
    for seconds, locked in ((3600.0, False), (9 * 3600.0, True)):
        age(Enrolment, "next_attempt_at", -seconds)
        if locked:
            age(Terminal, "unlock_at", -seconds)

        assert clock_jump.bring_back() == 0

    age(Enrolment, "next_attempt_at", -2 * DAY)
    age(Terminal, "unlock_at", -2 * DAY)
    assert clock_jump.bring_back() == 2


def test_logs_privacy_and_idle_terminals_are_due_and_sessions_and_backups_grow_old(terminal: Terminal) -> None:
    intake.claim_due()
    db.session.add(TerminalPrivacy(terminal_id=terminal.id, hosts=[]))
    add_backup(hours=1)
    open_session(add_operator("Анна"))
    ahead = (
        (Terminal, "backoff_until"), (Terminal, "drift_looked_at"), (Terminal, "offline_since"),
        (EventLog, "next_at"), (EventLog, "read_at"), (TerminalPrivacy, "next_at"),
        (OperatorSession, "seen_at"), (OperatorSession, "started_at"), (Backup, "finished_at"),
    )  # fmt: skip
    for table, column in ahead:
        age(table, column, -2 * DAY)
    assert (intake.claim_due(), people_changes.claim_due()) == ([], [])

    forget()

    assert [(table, column) for table, column in ahead if is_ahead(table, column)] == []
    assert intake.claim_due() == [terminal.id]
    age(Terminal, "drift_looked_at", 301)
    assert people_changes.claim_due() == [terminal.id]


def test_how_far_the_trail_is_ahead_is_told() -> None:
    assert clock_jump.seconds_ahead() == 0.0
    db.session.add(AuditEntry(actor="Анна", action="old", at=database_now(200)))
    db.session.commit()
    assert clock_jump.seconds_ahead() == 0.0

    db.session.add(AuditEntry(actor="Анна", action="old", at=database_now(2 * DAY)))
    db.session.commit()

    assert 2 * DAY - 60 < clock_jump.seconds_ahead() <= 2 * DAY
