"""Reads of jobs: the list, who is meant, who failed, and which removals a terminal has not confirmed yet."""

import pytest

from hikflask.extensions import db
from hikflask.models import Employee, Job, JobItem, Terminal
from hikflask.models.columns import database_now
from hikflask.models.job import DONE, FAILED
from hikflask.services.changes import queries
from hikflask.services.changes.kinds import APPLY, DEACTIVATE, DEPARTMENT, SEND
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal
from hikflask.services.employees.selection import make_draft
from hikflask.services.enrolments.reconcile import reconcile
from tests.support.jobs import add_people, run, started

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]


def test_list_has_the_started_jobs_the_newest_first() -> None:
    people = add_people("1")
    first, second = (started(DEPARTMENT, people, department="").job_id for _ in range(2))
    db.session.execute(db.update(Job).where(Job.id == second).values(started_at=database_now(-60.0)))
    db.session.commit()
    make_draft(DEPARTMENT, EmployeeFilter(), people)

    assert [job.id for job in queries.list_before(None, 1)] == [second]
    assert [job.id for job in queries.list_before(second, 5)] == [first]


def test_list_is_narrowed_to_those_that_are_open_failed_or_done_with_failures() -> None:
    people = add_people("1")
    waiting, failed, partly, done = (started(DEPARTMENT, people, department="").job_id for _ in range(4))
    for job_id, columns in (
        (failed, {"state": FAILED}),
        (partly, {"state": DONE, "failed": 1}),
        (done, {"state": DONE}),
    ):
        db.session.execute(db.update(Job).where(Job.id == job_id).values(**columns))
    db.session.commit()

    found = {
        wanted: [job.id for job in queries.list_before(None, 9, wanted)] for wanted in ("open", "failed", "partly")
    }

    assert found == {"open": [waiting], "failed": [failed], "partly": [partly]}
    assert len(queries.list_before(None, 9)) == 4


def test_job_tells_which_terminals_it_waits_for(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = started(SEND, add_people("1", "2", "3"), terminal_id=terminal.id, terminal="Вход")
    assert (queries.count_sent(claim.job_id), queries.waited_for(claim.job_id)) == (0, [])
    run(claim)

    (wait,) = queries.waited_for(claim.job_id)
    assert (wait.terminal.name, queries.count_sent(claim.job_id)) == ("Вход", 3)
    assert wait.next_try is not None
    db.session.execute(db.update(Terminal).values(backoff_until=database_now(600.0)))
    db.session.commit()
    (wait,) = queries.waited_for(claim.job_id)
    assert wait.next_try == db.session.get_one(Terminal, terminal.id, populate_existing=True).backoff_until
    monkeypatch.setattr(queries, "MAX_COUNTED", 2)
    assert queries.count_sent(claim.job_id) == 2


def test_failures_name_the_employee_while_there_is_one() -> None:
    people = add_people("1", "2", "3")
    claim = started(DEPARTMENT, people, department="Охрана")
    delete_employee(people[1])
    run(claim)

    page, total = queries.failures(claim.job_id, 10)

    assert ([(one.item.number, one.employee) for one in page.rows], total) == ([("2", None)], 1)
    assert (page.after, page.before) == ("", "")


@pytest.mark.usefixtures("simulator")
def test_removal_counts_until_the_terminal_confirms_it(terminal: Terminal) -> None:
    people = add_people("1", "2")
    wanted = [send_to_terminal(employee_id, terminal.id).row.id for employee_id in people]
    reconcile(wanted[0], "test")
    reconcile(wanted[1], "test")
    claim = started(DEACTIVATE, people)
    run(claim)

    assert [(one.name, count) for one, count in queries.unconfirmed_removals(claim.job_id)] == [("Вход", 2)]
    reconcile(wanted[0], "test")
    assert [(one.name, count) for one, count in queries.unconfirmed_removals(claim.job_id)] == [("Вход", 1)]
    delete_employee(people[1])
    assert [(one.name, count) for one, count in queries.unconfirmed_removals(claim.job_id)] == [("Вход", 1)]
    reconcile(wanted[1], "test")
    assert queries.unconfirmed_removals(claim.job_id) == []
    assert db.session.query(Employee).count() == 1


def test_only_what_is_done_is_counted_and_named_with_the_employee_of_today() -> None:
    job, other = Job(kind=APPLY), Job(kind=APPLY)
    db.session.add_all([job, other])
    db.session.flush()
    sent = {"1": "done", "2": "failed", "4": "done", "5": "sent"}
    for number, state in sent.items():
        db.session.add(JobItem(job_id=job.id, number=number, action="send", state=state))
    db.session.add(JobItem(job_id=job.id, number="3", action="remove", state="done"))
    db.session.add(JobItem(job_id=other.id, number="6", action="send", state="done"))
    add_people("1")

    first, second = queries.done_items(job.id, "send", 10)

    assert queries.count_done(job.id) == {"remove": 1, "send": 2}
    assert (first.item.number, first.employee and first.employee.name) == ("1", "Иван Иванов 1")
    assert (second.item.number, second.employee) == ("4", None)
    assert [one.item.number for one in queries.done_items(job.id, "send", 1, after=first.item.id)] == ["4"]
