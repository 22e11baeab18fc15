"""A job is started once, has one worker at a time, and is taken up again when that worker is gone."""

import pytest

from hikflask.extensions import db
from hikflask.models import AuditEntry, Employee, Job, JobItem, Terminal
from hikflask.models.columns import database_now
from hikflask.models.job import DONE, FAILED, RUNNING, STOPPED, WAITING, NewItem
from hikflask.services import audit
from hikflask.services.audit import Actor
from hikflask.services.changes import lifecycle
from hikflask.services.changes.kinds import DEPARTMENT, EXPORT, IMPORT
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.changes.run import run_slice
from hikflask.services.core.db import transaction
from hikflask.services.core.progress import ClaimLost
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.selection import make_draft
from tests.support.jobs import add_people, items, job, run, started
from tests.support.refusals import refusal
from tests.support.removals import AGREED
from tests.support.trail import entries

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def claim() -> Claim:
    """A job for two, started."""
    return started(DEPARTMENT, add_people("1", "2"), department="Охрана")


def lose(claim: Claim) -> None:
    """Let the claim be over, as that of a worker that was killed."""
    db.session.execute(db.update(Job).where(Job.id == claim.job_id).values(claimed_until=database_now(-1.0)))
    db.session.commit()


def test_start_names_who_started_it_and_how(claim: Claim) -> None:
    begun = job(claim.job_id)

    assert (begun.state, begun.requested_by, begun.params) == (WAITING, "Анна", {"department": "Охрана"})
    assert begun.started_at is not None
    (entry,) = entries("job.started")
    assert (entry.actor, entry.address, entry.subject) == ("Анна", "10.0.0.7", f"job {claim.job_id}")
    assert entry.after == {"job": "department", "people": 2, "department": "Охрана"}


def test_second_click_starts_nothing(claim: Claim) -> None:
    assert lifecycle.start(claim.job_id, {"department": "Склад"}) is None
    assert lifecycle.start(999, {}) is None
    assert job(claim.job_id).params == {"department": "Охрана"}
    assert len(entries("job.started")) == 1


def test_worker_that_has_the_claim_runs_the_job_and_no_other(claim: Claim) -> None:
    assert lifecycle.take(Claim(claim.job_id, 7)) is None

    taken = lifecycle.take(claim)

    assert taken is not None
    assert taken.state == RUNNING
    assert lifecycle.claim_orphans() == []


def test_job_of_a_killed_worker_is_claimed_once_and_the_old_claim_is_void(claim: Claim) -> None:
    lifecycle.take(claim)
    lose(claim)

    assert lifecycle.claim_orphans() == [Claim(claim.job_id, 2)]
    assert lifecycle.claim_orphans() == []
    with pytest.raises(ClaimLost), transaction():
        lifecycle.count(claim)
    assert lifecycle.take(claim) is None
    assert lifecycle.take(Claim(claim.job_id, 2)) is not None


@pytest.mark.both_databases
def test_claim_of_a_clock_that_was_set_back_is_over(claim: Claim) -> None:
    db.session.execute(db.update(Job).values(claimed_until=database_now(86400.0)))
    db.session.commit()

    assert lifecycle.claim_orphans() == [Claim(claim.job_id, 2)]


def test_job_that_gets_nothing_done_is_given_up_and_says_so(claim: Claim) -> None:
    for _ in range(lifecycle.MAX_ATTEMPTS):
        assert lifecycle.take(claim) is not None
        lose(claim)
        (claim,) = lifecycle.claim_orphans() or [claim]

    ended = job(claim.job_id)
    assert (ended.state, ended.done, ended.total) == (FAILED, 0, 2)
    assert ended.ended_at is not None
    assert lifecycle.claim_orphans() == []


def test_progress_begins_the_count_of_attempts_anew(claim: Claim) -> None:
    lifecycle.take(claim)
    lifecycle.count(claim, done=1, failed=1)
    db.session.commit()

    counted = job(claim.job_id)
    assert (counted.attempts, counted.done, counted.failed) == (0, 1, 1)


def test_stopped_job_is_over_for_everybody(claim: Claim) -> None:
    lifecycle.take(claim)

    assert lifecycle.stop_job(claim.job_id)

    assert not lifecycle.stop_job(claim.job_id)
    assert job(claim.job_id).state == STOPPED
    assert lifecycle.take(claim) is None
    with pytest.raises(ClaimLost), transaction():
        lifecycle.count(claim)
    assert [entry.after for entry in entries("job.stopped")] == [
        {"job": "department", "people": 0, "department": "Охрана"}
    ]


def test_what_has_ended_is_not_stopped(claim: Claim) -> None:
    assert run(claim).state == DONE
    assert not lifecycle.stop_job(claim.job_id)
    assert job(claim.job_id).state == DONE


@pytest.mark.both_databases
def test_draft_is_neither_claimed_nor_stopped() -> None:
    draft = make_draft(DEPARTMENT, EmployeeFilter(), add_people("1"))

    assert lifecycle.claim_orphans() == []
    assert not lifecycle.stop_job(draft.id)
    assert db.session.execute(db.select(AuditEntry.id)).all() == []


@pytest.mark.both_databases
def test_job_is_made_and_begun_at_once_with_its_items(terminal: Terminal) -> None:
    (person,) = add_people("1")

    with audit.acting(Actor("Анна", "10.0.0.7")):
        claim = lifecycle.begin(
            DEPARTMENT,
            {"department": "Охрана"},
            terminal_id=terminal.id,
            items=[NewItem("1", person, "send", {"same_person": True}), NewItem("2", None)],
        )

    begun = job(claim.job_id)
    assert (begun.state, begun.total, begun.terminal_id, begun.requested_by) == (WAITING, 2, terminal.id, "Анна")
    assert begun.params == {"department": "Охрана", "terminal": "Вход"}
    found = db.select(JobItem.number, JobItem.employee_id, JobItem.action, JobItem.confirmed)
    rows = [tuple(row) for row in db.session.execute(found.order_by(JobItem.id))]
    assert rows == [("1", person, "send", {"same_person": True}), ("2", None, "", None)]
    (entry,) = entries("job.started")
    assert (entry.terminal, entry.after) == ("Вход", {"job": "department", "people": 2, "department": "Охрана"})
    assert run(claim).failed == 1


def test_paused_job_is_left_alone_until_its_time_has_come(claim: Claim) -> None:
    lifecycle.take(claim)

    why = {"refusal": refusal("unreachable"), "tries": 3}
    lifecycle.pause(claim, 900.0, why)

    paused = job(claim.job_id)
    assert (paused.state, paused.attempts, paused.pause) == (RUNNING, 0, why)
    assert lifecycle.claim_orphans() == []
    lose(claim)
    (again,) = lifecycle.claim_orphans()
    assert run(again).pause is None


def test_pause_does_not_count_as_a_lost_claim(claim: Claim) -> None:
    for _ in range(2 * lifecycle.MAX_ATTEMPTS):
        assert lifecycle.take(claim) is not None
        lifecycle.pause(claim, 3.0, {})
        lose(claim)
        (claim,) = lifecycle.claim_orphans()

    assert job(claim.job_id).state == RUNNING


def test_retry_of_a_stopped_job_goes_on_where_it_was_and_names_who_asked(claim: Claim) -> None:
    run_slice(claim, seconds=0.0)
    lifecycle.stop_job(claim.job_id)

    with audit.acting(Actor("Пётр")):
        again = lifecycle.retry(claim.job_id, AGREED)

    assert again == Claim(claim.job_id, 2)
    begun = job(claim.job_id)
    assert (begun.state, begun.done, begun.requested_by, begun.ended_at) == (WAITING, 1, "Пётр", None)
    assert lifecycle.take(claim) is None
    assert (run(again).state, job(claim.job_id).done) == (DONE, 2)
    assert [entry.actor for entry in entries("employee.changed")] == ["Анна", "Пётр"]
    (entry,) = entries("job.retried")
    assert (entry.actor, entry.after) == ("Пётр", {"job": "department", "people": 1, "department": "Охрана"})


@pytest.mark.both_databases
def test_retry_tries_what_failed_once_more(claim: Claim) -> None:
    db.session.execute(db.update(JobItem).where(JobItem.number == "1").values(employee_id=None))
    db.session.commit()
    assert (run(claim).state, job(claim.job_id).failed) == (DONE, 1)
    person = db.session.execute(db.select(Employee.id).where(Employee.number == "1")).scalar_one()
    db.session.execute(db.update(JobItem).where(JobItem.number == "1").values(employee_id=person))
    db.session.commit()

    again = lifecycle.retry(claim.job_id, AGREED)

    assert again is not None
    assert job(claim.job_id).failed == 1
    ended = run(again)
    assert (ended.state, ended.done, ended.failed, ended.params) == (DONE, 2, 0, {"department": "Охрана"})
    assert items(claim.job_id) == [("1", "done", ""), ("2", "done", "")]


def test_job_that_was_given_up_is_retried(claim: Claim) -> None:
    lifecycle.take(claim)
    lifecycle.fail(claim, refusal("table_not_written", n=1))
    assert job(claim.job_id).params["refusal"]["code"] == "table_not_written"

    again = lifecycle.retry(claim.job_id, AGREED)

    assert again is not None
    assert "refusal" not in job(claim.job_id).params
    assert run(again).done == 2


def test_second_click_and_what_has_nothing_to_retry_retry_nothing(claim: Claim) -> None:
    assert lifecycle.retry(claim.job_id, AGREED) is None
    lifecycle.stop_job(claim.job_id)
    assert lifecycle.retry(claim.job_id, AGREED) is not None
    assert lifecycle.retry(claim.job_id, AGREED) is None
    assert lifecycle.retry(999, AGREED) is None
    assert len(entries("job.retried")) == 1


@pytest.mark.both_databases
def test_imports_are_not_retried_here(claim: Claim) -> None:
    db.session.execute(db.update(Job).values(kind=IMPORT, state=FAILED))
    db.session.commit()

    assert lifecycle.retry(claim.job_id, AGREED) is None


def test_failed_job_that_is_left_as_it_is_needs_no_attention_and_keeps_its_end(claim: Claim) -> None:
    lifecycle.take(claim)
    lifecycle.fail(claim, refusal("unreachable"))
    ended_at = job(claim.job_id).ended_at

    assert lifecycle.stop_job(claim.job_id)

    left = job(claim.job_id)
    assert (left.state, left.ended_at, left.params["refusal"]["code"]) == (STOPPED, ended_at, "unreachable")
    assert lifecycle.can_retry(left)


@pytest.mark.both_databases
def test_whole_that_is_begun_anew_takes_the_place_of_one_that_failed(terminal: Terminal) -> None:
    first, other = (lifecycle.begin(EXPORT, {"format": "csv"}, terminal_id=one) for one in (terminal.id, None))
    for claim in (first, other):
        lifecycle.fail(claim, refusal("unreachable"))

    lifecycle.begin(EXPORT, {"format": "csv"}, terminal_id=terminal.id)

    assert (job(first.job_id).state, job(other.job_id).state) == (STOPPED, FAILED)
