"""When an enrolment is tried: later after each failure, once for each claim, and one question where nobody answers."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from hikflask.background import tasks
from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees import search
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.lifecycle import send_to_terminal, set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import schedule
from hikflask.services.state import enrolment as state
from hikflask.services.terminals import leases, registry
from tests.support.between import Between
from tests.support.enrolments import employee_of

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


def desire(terminal: Terminal, *numbers: str) -> list[int]:
    """Let these numbers be desired on the terminal, the first one longest; return the enrolments' ids."""
    people = [save_employee(Draft(number, "Иван Иванов")).row for number in numbers]
    ids = [send_to_terminal(person.id, terminal.id).row.id for person in people]
    for place, enrolment_id in enumerate(ids):
        set_row(Enrolment, enrolment_id, next_attempt_at=database_now(place - 10.0))
    return ids


def desire_long_ago(terminal: Terminal, count: int) -> list[int]:
    """Let so many be desired on the terminal, all of them due."""
    ids = desire(terminal, *(f"L{number}" for number in range(count)))
    for place, enrolment_id in enumerate(ids):
        set_row(Enrolment, enrolment_id, next_attempt_at=database_now(place - 100.0))
    return ids


def set_row(table: type[Enrolment | Terminal], row_id: int, **columns: object) -> None:
    db.session.execute(db.update(table).where(table.id == row_id).values(columns))
    db.session.commit()


@pytest.mark.both_databases
def test_each_failure_doubles_the_wait_up_to_the_longest_one(app: Flask) -> None:
    app.config.update(RETRY_BASE=10.0, RETRY_MAX=60.0)

    assert [schedule.back_off(attempts) for attempts in (0, 1, 2, 3, 10_000)] == [10.0, 20.0, 40.0, 60.0, 60.0]


@pytest.mark.both_databases
def test_what_is_due_is_claimed_once_and_the_longest_wait_first(terminal: Terminal) -> None:
    first, second = desire(terminal, "1001", "1002")

    assert schedule.claim_turns() == [[first, second]]
    assert schedule.claim_turns() == []


@pytest.mark.both_databases
def test_a_claim_that_nobody_follows_is_due_again(terminal: Terminal) -> None:
    (only,) = desire(terminal, "1001")
    schedule.claim_turns()

    claimed = db.session.execute(db.select(Enrolment.next_attempt_at, database_now())).one()

    assert claimed[0] > claimed[1]
    set_row(Enrolment, only, next_attempt_at=database_now())
    assert schedule.claim_turns() == [[only]]


def test_who_is_to_leave_comes_before_who_waits_longer(terminal: Terminal) -> None:
    staying, leaving = desire(terminal, "1001", "1002")
    gone = db.session.get_one(Enrolment, leaving)
    set_row(Enrolment, leaving, written_name="Иван Иванов")
    set_active(employee_of(gone), active=False)

    assert schedule.claim_turns() == [[leaving, staying]]


@pytest.mark.both_databases
def test_removals_of_a_job_come_before_what_a_single_person_waits_for(terminal: Terminal) -> None:
    many, single, leaver = desire(terminal, "1001", "1002", "1003")
    set_row(Enrolment, many, next_attempt_at=database_now(-200.0), in_bulk=True)
    set_row(Enrolment, single, next_attempt_at=database_now(-100.0))
    set_row(Enrolment, leaver, next_attempt_at=database_now(-1.0), in_bulk=True, desired="absent")

    assert schedule.claim_turns() == [[leaver, single, many]]


def test_a_terminal_that_did_not_answer_is_asked_about_one_number(terminal: Terminal) -> None:
    first, second = desire(terminal, "1001", "1002")
    set_row(Terminal, terminal.id, offline_since=database_now(-60.0))

    assert schedule.claim_turns() == [[first]]
    assert schedule.claim_turns() == [[second]]


def test_a_turn_has_no_more_than_is_asked_for(terminal: Terminal) -> None:
    ids = desire(terminal, "1001", "1002", "1003")

    assert schedule.claim_turns(2) == [ids[:2]]


def terminal_of(turn: list[int]) -> Any:
    """Return what a turn's terminal is like, which is there."""
    terminal = schedule.terminal_of(turn)
    assert terminal is not None
    return terminal


def test_a_terminal_in_use_or_left_alone_has_its_turn_later(terminal: Terminal) -> None:
    (only,) = desire(terminal, "1001")
    lease = leases.acquire(terminal.id, "somebody else", "check", 60.0)
    assert schedule.claim_turns() == []

    lease.release()
    set_row(Terminal, terminal.id, backoff_until=database_now(60.0))

    assert terminal_of([only]).is_backing_off
    assert schedule.claim_turns() == []
    set_row(Terminal, terminal.id, backoff_until=database_now(-1.0))
    assert not terminal_of([only]).is_backing_off
    assert schedule.claim_turns() == [[only]]


@pytest.mark.both_databases
def test_removals_beside_are_claimed_while_the_terminal_is_in_use(terminal: Terminal) -> None:
    staying, leaving = desire(terminal, "1001", "1002")
    set_row(Enrolment, leaving, written_name="Иван Иванов")
    set_active(employee_of(db.session.get_one(Enrolment, leaving)), active=False)
    leases.acquire(terminal.id, "this worker", "enrolment", 60.0)

    assert schedule.claim_urgent_beside(terminal.id, [staying]) == [leaving, staying]
    assert schedule.claim_urgent_beside(terminal.id, [staying]) == [staying]


@pytest.mark.both_databases
def test_turn_does_not_grow_and_what_a_job_desired_waits_for_the_next_one(terminal: Terminal) -> None:
    ids = desire(terminal, *map(str, range(1001, 1025)))
    for place, enrolment_id in enumerate(ids):
        set_row(Enrolment, enrolment_id, next_attempt_at=database_now(place - 100.0), in_bulk=place < 2)
    (turn,) = schedule.claim_turns()

    assert turn == ids[2:22]
    assert schedule.claim_urgent_beside(terminal.id, turn) == turn
    assert sorted(schedule.claim_urgent_beside(terminal.id, turn[1:])) == ids[3:23]
    assert schedule.claim_urgent_beside(terminal.id, [ids[0]]) == [ids[23], ids[0]]


def test_turn_has_its_terminal_as_long_as_one_of_its_rows_is_there(terminal: Terminal) -> None:
    (only,) = desire(terminal, "1001")

    assert terminal_of([999, only]).id == terminal.id
    assert schedule.terminal_of([999]) is None
    tasks.reconcile_in_turn([999])


@pytest.mark.both_databases
def test_terminal_that_backs_off_keeps_no_thread_and_one_that_did_not_answer_comes_last(terminal: Terminal) -> None:
    ids = desire(terminal, "1001", "1002")
    other = registry.add(registry.Access("Склад", "http://away.test", "admin", "x"))
    away = send_to_terminal(search.ids(EmployeeFilter())[0], other.id).row.id

    assert schedule.worth_trying([away, *ids]) == [away, *ids]
    set_row(Terminal, other.id, offline_since=database_now(-60.0))
    assert schedule.worth_trying([away, *ids]) == [*ids, away]
    set_row(Terminal, other.id, backoff_until=database_now(60.0))
    assert schedule.worth_trying([away, *ids]) == ids


@pytest.mark.both_databases
def test_turn_that_is_given_back_is_due_again(terminal: Terminal) -> None:
    ids = desire(terminal, "1001", "1002")
    (turn,) = schedule.claim_turns()

    schedule.give_back(terminal.id, turn)

    assert schedule.claim_turns() == [ids]


def test_turn_that_meets_another_conversation_is_due_again_as_a_whole(
    terminal: Terminal, run_jobs: Callable[[], int]
) -> None:
    ids = desire(terminal, "1001", "1002", "1003")
    (turn,) = schedule.claim_turns()
    lease = leases.acquire(terminal.id, "another turn", "save", 60.0)

    tasks.reconcile_in_turn(turn)

    assert run_jobs() == 0
    lease.release()
    assert schedule.claim_turns() == [ids]


@pytest.mark.both_databases
def test_terminal_that_a_person_waits_for_has_no_turn(terminal: Terminal) -> None:
    (only,) = desire(terminal, "1001")
    set_row(Terminal, terminal.id, wanted_until=database_now(1.0))

    assert terminal_of([only]).is_wanted
    assert schedule.claim_turns() == []
    set_row(Terminal, terminal.id, wanted_until=database_now(-0.001))
    assert not terminal_of([only]).is_wanted
    assert schedule.claim_turns() == [[only]]


@pytest.mark.both_databases
def test_next_turn_of_a_terminal_is_claimed_alone(terminal: Terminal) -> None:
    ids = desire_long_ago(terminal, 22)

    assert schedule.claim_next_turn(terminal.id) == ids[:20]
    assert schedule.claim_next_turn(terminal.id + 1) == []
    assert schedule.claim_next_turn(terminal.id) == ids[20:]


@pytest.mark.both_databases
def test_what_another_worker_claims_at_the_same_moment_is_left_to_it(terminal: Terminal, between: Between) -> None:
    ids = desire(terminal, "1001", "1002")
    other = between(state, "claim", schedule.claim_turns, before=True)

    assert schedule.claim_turns() == []
    other.finish()
    assert other.result == [ids]


def plans_of(action: Callable[[], object]) -> list[str]:
    """Return how the database finds the rows of each statement about enrolments that an action makes."""
    explain = "EXPLAIN QUERY PLAN " if db.engine.dialect.name == "sqlite" else "EXPLAIN "
    asked: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, parameters: Any, *___: object) -> None:
        if "FROM enrolment" in statement:
            asked.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    action()
    event.remove(db.engine, "before_cursor_execute", note)
    connection = db.session.connection()
    return ["\n".join(str(row[-1]) for row in connection.exec_driver_sql(explain + one, given)) for one, given in asked]


@pytest.mark.both_databases
def test_what_is_due_is_found_by_its_index_and_never_read_as_a_whole(terminal: Terminal) -> None:
    """Five thousand that wait for later, and one that is due: none of the five thousand is looked at."""
    later = datetime.now(UTC) + timedelta(hours=1)
    rows = [{"terminal_id": terminal.id, "number": f"N{i}", "next_attempt_at": later} for i in range(5000)]
    db.session.execute(db.insert(Enrolment), rows)
    db.session.execute(db.text("ANALYZE"))
    db.session.commit()
    desire(terminal, "1001")

    terminals, *due, claim = plans_of(schedule.claim_turns)

    assert terminals.count("ix_enrolment_due") == 4, terminals
    assert "Seq Scan on enrolment" not in terminals
    assert "Seq Scan on enrolment" not in claim
    assert "SCAN enrolment" not in claim
    assert len(due) == 4
    for plan in due:
        assert "ix_enrolment_due" in plan
        assert "TEMP B-TREE" not in plan
        assert "Sort" not in plan
