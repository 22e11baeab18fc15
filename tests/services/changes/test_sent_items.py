"""What a job sent ends by the terminal's own answer, and never waits for what nobody tries any more."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Job, JobItem, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT
from hikflask.models.job import DONE, FAILED, RUNNING, SENT, STOPPED
from hikflask.services.changes import kinds, lifecycle, sent_items
from hikflask.services.changes import queries as jobs
from hikflask.services.changes.kinds import SEND, Kind
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.changes.run import CHECK_SECONDS, run_slice
from hikflask.services.employees.erasure import erase_employee
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal, set_active
from hikflask.services.enrolments import queries, schedule
from hikflask.services.enrolments.desired import desire_absent
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.groups import changing
from hikflask.services.groups.registry import Wanted
from hikflask.services.state import enrolment as state
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import IVAN
from tests.support.employees import save_with_face
from tests.support.groups import ENTRANCE, STORE, add_terminals
from tests.support.jobs import LONG, add_people, items, job, looked_again, run, started
from tests.support.refusals import refusal
from tests.support.removals import AGREED
from tests.support.statements import counted_statements

pytestmark = pytest.mark.usefixtures("context")

CONFIRMED = {"person": "confirmed", "face": "pending", "next_attempt_at": None, "refusal": refusal("no_photo")}


def sent(terminal: Terminal, *numbers: str) -> Claim:
    """A job that sent these people, who have no photo."""
    claim = started(SEND, add_people(*numbers), terminal_id=terminal.id, terminal="Вход")
    run(claim)
    return claim


def write(number: str, **columns: object) -> None:
    """Write to the row of a number, as an attempt would."""
    db.session.execute(db.update(Enrolment).where(Enrolment.number == number).values(**columns))
    db.session.commit()


@pytest.mark.both_databases
def test_who_is_proven_once_more_in_minutes_keeps_no_job_waiting(simulator: Simulated, terminal: Terminal) -> None:
    ivan = save_with_face(simulator, terminal, IVAN)
    claim = started(SEND, [ivan.id], terminal_id=terminal.id, terminal="Вход")
    run(claim)
    reconcile(queries.of_number("100222")[0].id, "test")
    later = datetime.now(UTC) + timedelta(minutes=3)

    write("100222", next_attempt_at=datetime.now(UTC), may_arrive_until=later)
    assert looked_again(claim).state == RUNNING
    write("100222", next_attempt_at=later)

    assert looked_again(claim).state == DONE


@pytest.mark.both_databases
def test_sent_people_are_done_when_their_terminal_confirmed_them(simulator: Simulated, terminal: Terminal) -> None:
    ivan = save_with_face(simulator, terminal, IVAN)
    claim = started(SEND, [ivan.id], terminal_id=terminal.id, terminal="Вход")

    waiting = run(claim)
    assert (waiting.state, waiting.done, waiting.total) == (RUNNING, 0, 1)
    assert (waiting.terminal_id, items(claim.job_id)) == (terminal.id, [("100222", SENT, "")])
    reconcile(queries.of_number("100222")[0].id, "test")
    ended = looked_again(claim)

    assert (ended.state, ended.done, ended.failed) == (DONE, 1, 0)
    assert ended.ended_at is not None
    assert items(claim.job_id) == [("100222", DONE, "")]


@pytest.mark.both_databases
def test_refused_people_fail_with_what_the_terminal_said(terminal: Terminal) -> None:
    claim = sent(terminal, "1", "2", "3")
    write("1", person="refused", next_attempt_at=None, refusal=refusal("deviceuserfull", text="full"))
    write("2", person="confirmed", next_attempt_at=None, refusal=refusal("no_photo"))

    looked = looked_again(claim)
    assert (looked.state, looked.done, looked.failed) == (RUNNING, 2, 2)
    write("3", person="refused", next_attempt_at=None)
    ended = looked_again(claim)

    assert (ended.state, ended.done, ended.failed) == (DONE, 3, 3)
    assert items(claim.job_id) == [
        ("1", FAILED, "deviceuserfull"), ("2", FAILED, "no_photo"), ("3", FAILED, "not_finished")
    ]  # fmt: skip
    written = db.session.execute(db.select(JobItem.refusal).order_by(JobItem.id)).scalars().first()
    assert written == {"code": "deviceuserfull", "params": {"t": "Вход", "text": "full"}}


@pytest.mark.both_databases
def test_terminal_that_is_off_leaves_the_job_running_and_nobody_polls(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sent_items, "PORTION", 10)
    claim = sent(terminal, *(str(number) for number in range(100, 140)))
    write("100", step="", next_attempt_at=database_now(900.0))

    assert lifecycle.claim_orphans() == []
    with counted_statements() as statements:
        looked = looked_again(claim)

    assert (looked.state, looked.done, looked.attempts) == (RUNNING, 0, 0)
    assert looked.claimed_until is not None
    ahead = db.session.execute(db.select(looked.claimed_until <= database_now(CHECK_SECONDS))).scalar_one()
    assert ahead
    assert len(statements) < 20


@pytest.mark.both_databases
def test_each_look_goes_on_where_the_last_one_ended(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sent_items, "PORTION", 2)
    claim = sent(terminal, "1", "2", "3", "4", "5")
    for number in ("3", "4", "5"):
        write(number, **CONFIRMED)

    # The first look ended behind the first two. This one settles the others, and comes to these two again.
    assert looked_again(claim).done == 3
    for number in ("1", "2"):
        write(number, **CONFIRMED)
    assert looked_again(claim).state == DONE


@pytest.mark.both_databases
def test_very_many_are_settled_by_few_statements(terminal: Terminal) -> None:
    numbers = [f"{number:03}" for number in range(100)]
    claim = started(SEND, add_people(*numbers), terminal_id=terminal.id, terminal="Вход")
    run(claim)
    db.session.execute(db.update(Enrolment).values(**CONFIRMED))
    db.session.commit()

    with counted_statements() as statements:
        ended = looked_again(claim)

    assert (ended.state, ended.done, ended.failed) == (DONE, 100, 100)
    assert len(statements) < 30


@pytest.mark.both_databases
@pytest.mark.parametrize(("happens", "error"), [
    (lambda number, _: write(number, desired=ABSENT), "wish_changed"),
    (lambda _, person: set_active(person, active=False), "wish_changed"),
    (lambda _, person: delete_employee(person), "wish_changed"),
    (lambda _, person: erase_employee(person), "wish_changed"),
    (lambda number, _: db.session.execute(db.delete(Enrolment).where(Enrolment.number == number)), "enrolment_unknown"),
    (lambda *_: db.session.execute(db.delete(Enrolment)) and db.session.execute(db.delete(Employee)),
     "employee_unknown"),
])  # fmt: skip
def test_changed_wishes_and_deleted_people_keep_no_job_waiting(
    terminal: Terminal, happens: Callable[[str, int], object], error: str
) -> None:
    claim = sent(terminal, "1")
    person = db.session.execute(db.select(Employee.id)).scalar_one()

    happens("1", person)
    db.session.commit()

    ended = looked_again(claim)
    assert (ended.state, ended.done, ended.failed) == (DONE, 1, 1)
    assert [failed for *_, failed in items(claim.job_id)] == [error]


def test_removal_is_done_when_the_terminal_found_nobody_and_its_row_is_gone(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = add_people("1", "2", "3")
    for person in people:
        send_to_terminal(person, terminal.id)

    def take_off(item: JobItem, _: object) -> list[Enrolment]:
        desire_absent(item.number)
        return queries.of_number(item.number)

    monkeypatch.setitem(kinds.KINDS, "take_off", Kind(take_off, awaits_confirmation=True))
    claim = started("take_off", people)
    run(claim)
    write("1", person="confirmed", next_attempt_at=None)
    db.session.execute(db.delete(Enrolment).where(Enrolment.number == "2"))
    db.session.commit()

    assert (looked_again(claim).done, job(claim.job_id).failed) == (2, 0)
    assert [item[1] for item in items(claim.job_id)] == [DONE, DONE, SENT]


@pytest.mark.both_databases
@pytest.mark.parametrize("code", ["employeenoalreadyexist", "other_device"])
def test_removal_that_a_person_must_decide_about_keeps_no_job_waiting(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    people = add_people("1")
    send_to_terminal(people[0], terminal.id)

    def take_off(item: JobItem, _: object) -> list[Enrolment]:
        desire_absent(item.number)
        return queries.of_number(item.number)

    monkeypatch.setitem(kinds.KINDS, "take_off", Kind(take_off, awaits_confirmation=True))
    claim = started("take_off", people)
    run(claim)
    write("1", refusal=refusal(code, name="Чужой"))

    assert looked_again(claim).failed == 1
    assert items(claim.job_id)[0][1:3] == (FAILED, code)


def test_stopped_job_is_not_looked_at_and_retry_goes_on(terminal: Terminal) -> None:
    claim = sent(terminal, "1", "2")
    lifecycle.stop_job(claim.job_id)
    write("1", **CONFIRMED)
    assert lifecycle.claim_orphans() == []

    again = lifecycle.retry(claim.job_id, AGREED)

    assert again is not None
    assert run(again).state == RUNNING
    assert items(claim.job_id) == [("1", FAILED, "no_photo"), ("2", SENT, "")]


def test_failed_people_are_sent_again_by_a_retry(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sent_items, "PORTION", 2)
    claim = sent(terminal, "1", "2", "3")
    db.session.execute(db.update(Enrolment).values(**CONFIRMED))
    db.session.commit()
    assert (looked_again(claim).state, job(claim.job_id).failed) == (DONE, 3)

    again = lifecycle.retry(claim.job_id, AGREED)

    assert again is not None
    waiting = run(again)
    assert (waiting.state, waiting.done, waiting.failed) == (RUNNING, 0, 0)
    assert [item[1] for item in items(claim.job_id)] == [SENT] * 3
    assert len(schedule.claim_turns()[0]) == 3


@pytest.fixture
def ids() -> dict[str, int]:
    """Two terminals, and two people of one department."""
    add_people("1", "2", department="Охрана")
    return add_terminals(ENTRANCE, STORE)


def changed_group(group_id: int | None, *terminal_ids: int) -> Claim:
    """The claim of the job that follows from a change of a group's terminals."""
    begun: list[Claim] = []
    changing.change(group_id, Wanted("Офис", terminal_ids, ["Охрана"]), begun.append, AGREED)
    return begun[0]


def write_at(terminal_id: int, **columns: object) -> None:
    """Write to the rows at a terminal, as attempts would."""
    db.session.execute(db.update(Enrolment).where(Enrolment.terminal_id == terminal_id).values(**columns))
    db.session.commit()


@pytest.mark.both_databases
def test_job_of_a_group_ends_when_each_terminal_has_confirmed_or_refused_each_person(ids: dict[str, int]) -> None:
    claim = changed_group(None, *ids.values())

    waiting = run(claim)
    assert (waiting.state, waiting.done, waiting.total) == (RUNNING, 0, 4)
    write_at(ids[ENTRANCE], person="refused", next_attempt_at=None, refusal=refusal("deviceuserfull", text="full"))
    half = looked_again(claim)
    assert (half.state, half.done, half.failed, half.total) == (RUNNING, 2, 2, 4)
    assert [wait.terminal.name for wait in jobs.waited_for(claim.job_id)] == [STORE]
    write_at(ids[STORE], **CONFIRMED)
    ended = looked_again(claim)

    assert (ended.state, ended.done, ended.failed, ended.total) == (DONE, 4, 4, 4)
    assert sorted(items(claim.job_id)) == [
        ("1", FAILED, "deviceuserfull"), ("1", FAILED, "no_photo"),
        ("2", FAILED, "deviceuserfull"), ("2", FAILED, "no_photo"),
    ]  # fmt: skip


@pytest.mark.both_databases
def test_retried_job_of_a_group_tries_again_what_its_terminals_refused(ids: dict[str, int]) -> None:
    claim = changed_group(None, *ids.values())
    run(claim)
    db.session.execute(db.update(Enrolment).values(person="refused", next_attempt_at=None))
    db.session.commit()
    assert (looked_again(claim).state, job(claim.job_id).failed) == (DONE, 4)

    again = lifecycle.retry(claim.job_id, AGREED)

    assert again is not None
    waiting = run(again)
    assert (waiting.state, waiting.done, waiting.failed, waiting.total) == (RUNNING, 0, 0, 4)
    assert [len(turn) for turn in schedule.claim_turns()] == [2, 2]


@pytest.mark.both_databases
def test_group_that_loses_a_terminal_ends_its_job_when_nobody_is_there_any_more(ids: dict[str, int]) -> None:
    run(changed_group(None, *ids.values()))
    write_at(ids[STORE], person="confirmed", written_name="Иван Иванов")

    claim = changed_group(1, ids[ENTRANCE])

    waiting = run(claim)
    assert (waiting.state, waiting.done, waiting.total) == (RUNNING, 0, 2)
    assert {wait.terminal.name for wait in jobs.waited_for(claim.job_id)} == {STORE}
    write_at(ids[STORE], person="confirmed", next_attempt_at=None)
    ended = looked_again(claim)
    assert (ended.state, ended.done, ended.failed) == (DONE, 2, 0)


def test_worker_killed_between_looks_loses_nothing(terminal: Terminal) -> None:
    claim = sent(terminal, "1", "2")
    write("1", **CONFIRMED)
    lifecycle.take(claim)
    db.session.execute(db.update(Job).values(claimed_until=database_now(-1.0)))
    db.session.commit()

    (again,) = lifecycle.claim_orphans()
    run_slice(claim, LONG)
    assert job(claim.job_id).done == 0
    run_slice(again, LONG)

    assert (job(claim.job_id).done, job(claim.job_id).state) == (1, RUNNING)


def test_job_of_a_killed_worker_that_was_stopped_stays_stopped(terminal: Terminal) -> None:
    claim = sent(terminal, "1")
    lifecycle.stop_job(claim.job_id)

    assert not run_slice(claim, LONG)

    assert job(claim.job_id).state == STOPPED
    assert items(claim.job_id) == [("1", SENT, "")]


@pytest.mark.both_databases
def test_enrolment_that_is_being_talked_about_is_not_settled(terminal: Terminal) -> None:
    claim = sent(terminal, "1")
    state.apply(state.STEP, Enrolment.number == "1", step="face")
    write("1", next_attempt_at=None)

    assert looked_again(claim).state == RUNNING
