"""A job is started once, has one worker at a time, and is taken up again when that worker is gone."""

import pytest

from hikflask.extensions import db
from hikflask.models import AuditEntry, Job
from hikflask.models.columns import database_now
from hikflask.models.job import DONE, FAILED, RUNNING, STOPPED, WAITING
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.jobs import lifecycle
from hikflask.services.jobs.draft import make_draft
from hikflask.services.jobs.kinds import DEPARTMENT
from hikflask.services.jobs.lifecycle import Claim
from tests.support.jobs import add_people, job, run, started
from tests.support.retention import entries

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]


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
    assert not lifecycle.count(claim, failed=False)
    assert lifecycle.take(claim) is None
    assert lifecycle.take(Claim(claim.job_id, 2)) is not None


def test_claim_of_a_clock_that_was_set_back_is_over(claim: Claim) -> None:
    db.session.execute(db.update(Job).values(claimed_until=database_now(86400.0)))
    db.session.commit()

    assert lifecycle.claim_orphans() == [Claim(claim.job_id, 2)]


def test_job_that_gets_nothing_done_is_given_up_and_says_so(claim: Claim) -> None:
    for _ in range(lifecycle.MOST_ATTEMPTS):
        assert lifecycle.take(claim) is not None
        lose(claim)
        (claim,) = lifecycle.claim_orphans() or [claim]

    ended = job(claim.job_id)
    assert (ended.state, ended.done, ended.total) == (FAILED, 0, 2)
    assert ended.ended_at is not None
    assert lifecycle.claim_orphans() == []


def test_progress_begins_the_count_of_attempts_anew(claim: Claim) -> None:
    lifecycle.take(claim)
    lifecycle.count(claim, failed=True)
    db.session.commit()

    counted = job(claim.job_id)
    assert (counted.attempts, counted.done, counted.failed) == (0, 1, 1)


def test_stopped_job_is_over_for_everybody(claim: Claim) -> None:
    lifecycle.take(claim)

    assert lifecycle.stop(claim.job_id)

    assert not lifecycle.stop(claim.job_id)
    assert job(claim.job_id).state == STOPPED
    assert lifecycle.take(claim) is None
    assert not lifecycle.count(claim, failed=False)
    assert [entry.after for entry in entries("job.stopped")] == [
        {"job": "department", "people": 0, "department": "Охрана"}
    ]


def test_what_has_ended_is_not_stopped(claim: Claim) -> None:
    assert run(claim).state == DONE
    assert not lifecycle.stop(claim.job_id)
    assert job(claim.job_id).state == DONE


def test_draft_is_neither_claimed_nor_stopped() -> None:
    draft = make_draft(DEPARTMENT, EmployeeFilter(), add_people("1"))

    assert lifecycle.claim_orphans() == []
    assert not lifecycle.stop(draft.id)
    assert db.session.execute(db.select(AuditEntry.id)).all() == []
