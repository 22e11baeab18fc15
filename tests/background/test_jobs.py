"""The worker runs jobs in portions: one that nobody runs is taken up, and terminals get a small part at a time."""

from collections.abc import Callable

import pytest

from hikflask.background import tasks
from hikflask.extensions import db
from hikflask.models import Enrolment, Job, Terminal
from hikflask.models.columns import database_now
from hikflask.models.job import DONE, RUNNING, STOPPED
from hikflask.services.changes import lifecycle
from hikflask.services.changes.kinds import DEPARTMENT, SEND
from hikflask.services.changes.run import run_slice
from hikflask.services.enrolments import schedule
from tests.support.jobs import add_people, items, job, run, started

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]

RunJobs = Callable[[], int]


def test_sweep_takes_up_the_job_of_a_worker_that_was_killed(run_jobs: RunJobs) -> None:
    claim = started(DEPARTMENT, add_people("1", "2", "3"), department="Охрана")
    run_slice(claim, seconds=0.0)
    tasks.sweep()
    assert (run_jobs(), job(claim.job_id).state) == (0, RUNNING)
    db.session.execute(db.update(Job).values(claimed_until=database_now(-1.0)))
    db.session.commit()

    tasks.sweep()
    run_jobs()

    assert (job(claim.job_id).state, job(claim.job_id).done) == (DONE, 3)
    assert [state for _, state, _ in items(claim.job_id)] == ["done"] * 3


def test_task_that_comes_late_runs_nothing(run_jobs: RunJobs) -> None:
    claim = started(DEPARTMENT, add_people("1"), department="Охрана")
    tasks.enqueue_job(claim)
    lifecycle.stop_job(claim.job_id)

    run_jobs()

    assert (job(claim.job_id).state, job(claim.job_id).done) == (STOPPED, 0)


def test_terminal_gets_one_turn_of_what_a_job_desired(terminal: Terminal) -> None:
    people = add_people(*(str(number) for number in range(100, 130)))
    run(started(SEND, people, terminal_id=terminal.id, terminal="Вход"))

    assert tasks.enqueue_turns() == schedule.MAX_IN_A_TURN

    left = db.select(db.func.count(Enrolment.id)).where(Enrolment.next_attempt_at <= database_now())
    assert db.session.execute(left).scalar_one() == 10
