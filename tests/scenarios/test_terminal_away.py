"""A terminal that does not answer, or answers for ever, keeps nobody else waiting."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from hikflask.background import tasks
from hikflask.encryption.vault import VaultError
from hikflask.extensions import db
from hikflask.isapi.errors import NoAnswer, Unreachable
from hikflask.models import Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import CONFIRMED
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.lifecycle import send_to_terminal, set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import queries, schedule
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.terminals import checks, connection, leases, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SkippingClock
from hikflask.simulator import Terminal as Simulated
from tests.conftest import PASSWORD
from tests.support.due import claim_due
from tests.support.wire import InProcess

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]


def wish(terminal: Terminal, number: str) -> Enrolment:
    employee = save_employee(Draft(number, f"Employee {number}")).row
    return send_to_terminal(employee.id, terminal.id).row


def let_the_quiet_pass() -> None:
    db.session.execute(db.update(Terminal).values(backoff_until=None))
    db.session.execute(db.update(Enrolment).values(next_attempt_at=database_now()))
    db.session.commit()


def test_terminal_that_did_not_answer_is_left_alone_for_a_while(terminal: Terminal, wire: InProcess) -> None:
    first = wish(terminal, "1")
    wish(terminal, "2")
    wire.away.add("terminal.test")

    with pytest.raises(Unreachable):
        reconcile(first.id, "test")

    assert claim_due() == []
    turn_at = schedule.terminal_of([first.id])
    assert turn_at
    assert turn_at.is_backing_off


def test_terminal_that_was_away_is_asked_with_one_wish_first(terminal: Terminal, wire: InProcess) -> None:
    wishes = [wish(terminal, str(number)) for number in range(3)]
    wire.away.add("terminal.test")
    with pytest.raises(Unreachable):
        reconcile(wishes[0].id, "test")
    wire.away.clear()
    let_the_quiet_pass()

    probe = claim_due()

    assert len(probe) == 1
    reconcile(probe[0], "sweep")
    assert len(claim_due()) == 2


def test_losing_the_queue_loses_nothing(terminal: Terminal) -> None:
    enrolment = wish(terminal, "1")
    db.session.execute(db.update(Enrolment).values(next_attempt_at=database_now(-1)))
    db.session.commit()

    assert claim_due() == [enrolment.id]
    db.session.execute(db.update(Enrolment).values(next_attempt_at=database_now(-1)))
    db.session.commit()
    assert claim_due() == [enrolment.id]


@pytest.fixture
def other(wire: InProcess) -> tuple[Terminal, Simulated]:
    """A second terminal, at the back door, checked once."""
    simulated = Simulated(PASSWORD, clock=SkippingClock())
    wire.put("back.test", simulated)
    added = registry.add(Access("Задний вход", "http://back.test", "admin", PASSWORD))
    return checks.check(added.id, "test"), simulated


def leave(enrolment: Enrolment) -> None:
    set_active(enrolment.employee_id or 0, active=False)


def test_terminal_that_somebody_talks_to_has_its_turn_later(
    terminal: Terminal, other: tuple[Terminal, Simulated]
) -> None:
    here, there = wish(terminal, "1"), wish(other[0], "2")

    with connection.converse(terminal.id, "somebody", "check"):
        assert claim_due() == [there.id]

    assert claim_due() == [here.id]


def test_lease_that_nobody_gave_back_keeps_no_turn_away_when_it_has_ended(terminal: Terminal) -> None:
    enrolment = wish(terminal, "1")
    leases.acquire(terminal.id, "somebody", "check", seconds=-0.001)

    assert claim_due() == [enrolment.id]


def test_who_is_to_leave_comes_first(terminal: Terminal) -> None:
    leaver = wish(terminal, "1")
    reconcile(leaver.id, "test")
    joiners = [wish(terminal, str(number)) for number in range(2, 5)]
    leave(leaver)
    db.session.execute(db.update(Enrolment).where(Enrolment.id != leaver.id).values(next_attempt_at=database_now(-60)))
    db.session.commit()

    assert claim_due(2) == [leaver.id, joiners[0].id]


def test_worker_does_not_wait_for_a_terminal_that_somebody_talks_to(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolment = wish(terminal, "1")
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)

    with connection.converse(terminal.id, "somebody", "check"):
        tasks.reconcile_enrolment(enrolment.id)

    found = queries.get_one(enrolment.id)
    assert found.next_attempt_at is not None
    assert found.next_attempt_at < datetime.now(UTC) + timedelta(seconds=10)
    assert (waits, found.attempts, found.refusal_code) == ([], 0, "")


def test_conversation_about_one_number_ends_however_long_the_terminal_would_go_on(
    simulator: Simulated, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolment = wish(terminal, "1")
    monkeypatch.setattr("hikflask.services.enrolments.reconcile.MAX_SECONDS", 0.0)

    with pytest.raises(NoAnswer):
        reconcile(enrolment.id, "test")

    assert simulator.log == []
    turn_at = schedule.terminal_of([enrolment.id])
    assert turn_at
    assert turn_at.is_backing_off
    assert queries.get_one(enrolment.id).next_attempt_at is not None


def test_terminals_take_turns(
    simulator: Simulated, terminal: Terminal, other: tuple[Terminal, Simulated], run_jobs: Callable[[], int]
) -> None:
    back_door, there = other
    leaver = wish(back_door, "9")
    reconcile(leaver.id, "test")
    joiners = [wish(terminal, str(number)) for number in range(3)]
    leave(leaver)
    seen: list[str] = []
    simulator.before("UserInfo/Record", lambda: seen.append("joins"))
    there.before("UserInfoDetail/Delete", lambda: seen.append("leaves"))
    db.session.execute(db.update(Enrolment).values(next_attempt_at=database_now(-1)))
    db.session.commit()

    assert tasks.sweep() == 4
    run_jobs()

    assert (seen.index("leaves"), len(seen)) in {(0, 4), (1, 4)}
    assert [queries.get_one(joiner.id).person for joiner in joiners] == [CONFIRMED] * 3
    assert there.people == {}


def test_who_is_to_leave_meanwhile_is_not_kept_waiting_by_those_who_have_their_turn(
    simulator: Simulated, terminal: Terminal, run_jobs: Callable[[], int]
) -> None:
    leaver = wish(terminal, "9")
    reconcile(leaver.id, "test")
    joiners = [wish(terminal, str(number)) for number in range(3)]
    there: list[set[str]] = []
    simulator.before("UserInfo/Record", lambda: there.append(set(simulator.people)))
    assert tasks.sweep() == 3
    leave(leaver)

    run_jobs()

    assert [len(people) for people in there] == [0, 1, 2]
    assert "9" not in there[2]
    assert [queries.get_one(joiner.id).person for joiner in joiners] == [CONFIRMED] * 3


def test_others_have_their_turn_though_one_ends_in_an_error_of_ours(
    terminal: Terminal, run_jobs: Callable[[], int]
) -> None:
    first, second = wish(terminal, "1"), wish(terminal, "2")
    db.session.execute(db.update(Terminal).values(password_encrypted="not ours", version=9))
    db.session.commit()

    with pytest.raises(VaultError):
        tasks.reconcile_in_turn([first.id, second.id])

    with pytest.raises(VaultError):
        run_jobs()
    assert run_jobs() == 0
