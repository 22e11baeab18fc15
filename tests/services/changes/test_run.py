"""Each item is done exactly once, whoever runs the job, and whatever happens to the worker in the middle."""

import errno
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask, current_app
from flask_babel import force_locale
from psycopg.errors import DiskFull
from sqlalchemy import event

from hikflask.disk_space import ERRORS
from hikflask.extensions import db
from hikflask.labels.jobs import state_sentence
from hikflask.models import Employee, Job, JobItem
from hikflask.models.columns import database_now
from hikflask.models.job import DONE, FAILED, RUNNING, STOPPED
from hikflask.services.changes import kinds, lifecycle
from hikflask.services.changes.kinds import DEACTIVATE, DEPARTMENT
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.changes.run import run_slice
from hikflask.services.core import no_space
from hikflask.services.employees.lifecycle import delete_employee
from tests.support.disk_usage import let_be_free
from tests.support.jobs import LONG, add_people, items, job, run, started
from tests.support.removals import AGREED
from tests.support.trail import entries

pytestmark = pytest.mark.usefixtures("context")

NUMBERS = [f"{number:03}" for number in range(1, 8)]


def moved() -> list[str]:
    """The numbers in the audit trail of those whose department was changed, one for each change."""
    return [entry.employee for entry in entries("employee.changed")]


def fail_at(number: int) -> None:
    """Let the worker die at its so-manieth item, before the commit."""
    seen: list[str] = []

    def die(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE job_item"):
            seen.append(statement)
            if len(seen) == number:
                raise KeyboardInterrupt

    event.listen(db.engine, "before_cursor_execute", die)


def test_all_are_done_and_the_trail_names_who_began_it() -> None:
    claim = started(DEPARTMENT, add_people(*NUMBERS), department="Охрана")

    ended = run(claim)

    assert (ended.state, ended.done, ended.total, ended.failed) == (DONE, 7, 7, 0)
    assert ended.ended_at is not None
    assert items(claim.job_id) == [(number, "done", "") for number in NUMBERS]
    assert {entry.actor for entry in entries("employee.changed")} == {"Анна"}
    assert moved() == NUMBERS


def test_one_that_fails_is_in_the_report_and_keeps_nobody_else() -> None:
    people = add_people("1", "2", "3")
    claim = started(DEACTIVATE, people)
    delete_employee(people[1])

    ended = run(claim)

    assert (ended.state, ended.done, ended.failed) == (DONE, 3, 1)
    assert items(claim.job_id) == [("1", "done", ""), ("2", "failed", "employee_unknown"), ("3", "done", "")]
    assert set(db.session.execute(db.select(Employee.is_active)).scalars()) == {False}


def test_slice_ends_after_its_time_and_the_next_one_goes_on() -> None:
    claim = started(DEPARTMENT, add_people("1", "2"), department="Охрана")

    assert run_slice(claim, seconds=0.0)
    assert [state for _, state, _ in items(claim.job_id)] == ["done", "waiting"]
    assert job(claim.job_id).state == RUNNING

    assert run_slice(claim, seconds=0.0)
    assert not run_slice(claim, seconds=0.0)
    assert job(claim.job_id).state == DONE
    assert moved() == ["1", "2"]


@pytest.mark.both_databases
def test_job_of_a_worker_that_died_in_the_middle_goes_on_without_doubling_or_skipping() -> None:
    claim = started(DEPARTMENT, add_people(*NUMBERS), department="Охрана")
    fail_at(4)
    with pytest.raises(KeyboardInterrupt):
        run_slice(claim, LONG)
    assert (job(claim.job_id).done, moved()) == (3, NUMBERS[:3])
    db.session.execute(db.update(Job).values(claimed_until=database_now(-1.0)))
    db.session.commit()

    (again,) = lifecycle.claim_orphans()
    ended = run(again)

    assert (ended.state, ended.done) == (DONE, 7)
    assert moved() == NUMBERS


def test_worker_whose_claim_went_to_another_gets_nothing_more_done() -> None:
    claim = started(DEPARTMENT, add_people("1", "2"), department="Охрана")
    run_slice(claim, seconds=0.0)
    db.session.execute(db.update(Job).values(claim_number=2))
    db.session.commit()

    assert not run_slice(claim, LONG)

    assert moved() == ["1"]


def test_stop_is_seen_by_the_next_item_which_is_not_done() -> None:
    claim = started(DEPARTMENT, add_people("1", "2", "3"), department="Охрана")

    def stop(_connection: object, cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE job SET") and "done=" in statement and job_done[0] == 1:
            cursor.execute(f"UPDATE job SET state = 'stopped' WHERE id = {claim.job_id}")  # type: ignore[attr-defined]
        job_done[0] += statement.startswith("UPDATE job_item")

    job_done = [0]
    event.listen(db.engine, "before_cursor_execute", stop)
    assert not run_slice(claim, LONG)
    event.remove(db.engine, "before_cursor_execute", stop)

    assert moved() == ["1"]
    assert lifecycle.stop_job(claim.job_id)
    assert (job(claim.job_id).state, job(claim.job_id).done) == (STOPPED, 1)


@pytest.mark.both_databases
def test_two_workers_at_once_do_each_item_once(app: Flask) -> None:
    numbers = [f"{number:03}" for number in range(40)]
    first = started(DEPARTMENT, add_people(*numbers), department="Охрана")
    barrier = threading.Barrier(2)

    def work(number: int) -> None:
        with app.app_context():
            barrier.wait()
            if number == 2:
                db.session.execute(db.update(Job).values(claim_number=2))
                db.session.commit()
            run_slice(Claim(first.job_id, number), LONG)

    workers = [threading.Thread(target=work, args=(number,)) for number in (1, 2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert (job(first.job_id).state, job(first.job_id).done) == (DONE, 40)
    assert sorted(moved()) == numbers


@pytest.mark.both_databases
def test_two_jobs_do_not_mix() -> None:
    people = add_people("1", "2")
    guards, store = (
        started(DEPARTMENT, people[:1], department="Охрана"),
        started(DEPARTMENT, people, department="Склад"),
    )

    assert run(guards).done == 1
    assert run(store).done == 2

    assert [one.department for one in db.session.execute(db.select(Employee).order_by(Employee.id)).scalars()] == [
        "Склад",
        "Склад",
    ]


def sqlite_full() -> Exception:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorname = "SQLITE_FULL"
    return error


def no_space_left() -> Exception:
    return OSError(errno.ENOSPC, "No space left on device")


@contextmanager
def failing_at(number: int, *beginnings: str, error: Callable[[], Exception]) -> Iterator[None]:
    """Raise this before each statement that begins so, from the so-manieth on."""
    seen: list[str] = []

    def fail(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(beginnings):
            seen.append(statement)
            if len(seen) >= number:
                raise error()

    engine = db.engine
    event.listen(engine, "before_cursor_execute", fail)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", fail)


@pytest.mark.parametrize(("error", "place"), [
    (sqlite_full, ""), (no_space_left, ""), (DiskFull, "PostgreSQL"),
])  # fmt: skip
def test_job_that_finds_no_space_fails_with_the_full_disk_and_a_retry_does_the_rest(
    monkeypatch: pytest.MonkeyPatch, error: Callable[[], Exception], place: str
) -> None:
    let_be_free(monkeypatch, 4096)
    claim = started(DEPARTMENT, add_people("1", "2", "3"), department="Охрана")

    with failing_at(2, "UPDATE job_item ", error=error):
        failed = run(claim)

    place = place or current_app.config["INSTANCE_PATH"]
    assert (failed.state, failed.done) == (FAILED, 1)
    assert failed.refusal == {"code": "no_space", "params": {"place": place}}
    with force_locale("en"):
        assert state_sentence(failed) == (
            f"The server's disk is full ({place}), so this could not be done. "
            "Ask the administrator to make room, then try again."
        )
    assert [state for _, state, _ in items(claim.job_id)] == ["done", "waiting", "waiting"]
    again = lifecycle.retry(claim.job_id, AGREED)
    assert again is not None
    assert (run(again).state, job(claim.job_id).done) == (DONE, 3)


def test_file_that_finds_no_space_ends_the_job_and_not_each_item(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(_item: JobItem, _params: object) -> None:
        with no_space.refused():
            raise no_space_left()

    monkeypatch.setitem(kinds.KINDS, "write", kinds.Kind(write))
    claim = started("write", add_people("1", "2"))

    failed = run(claim)

    assert (failed.state, failed.failed, failed.refusal and failed.refusal["code"]) == (FAILED, 0, "no_space")
    assert [state for _, state, _ in items(claim.job_id)] == ["waiting", "waiting"]


def test_full_disk_that_cannot_even_be_written_down_stays_an_error_and_the_job_stays_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    let_be_free(monkeypatch, 4096)
    claim = started(DEPARTMENT, add_people("1"), department="Охрана")

    written = ("UPDATE job_item ", "UPDATE job SET params", "UPDATE job SET state=?, params")
    with failing_at(1, *written, error=sqlite_full), pytest.raises(ERRORS):
        run(claim)

    assert job(claim.job_id).is_open


def test_other_errors_of_a_job_stay_errors() -> None:
    claim = started(DEPARTMENT, add_people("1"), department="Охрана")

    denied = PermissionError(errno.EACCES, "Permission denied")
    with failing_at(1, "UPDATE job_item ", error=lambda: denied), pytest.raises(PermissionError):
        run(claim)
