"""The report of a job stays for its time; a draft that nobody started stays for a day."""

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Job, JobItem
from hikflask.services.changes import retention
from hikflask.services.changes.kinds import DEPARTMENT
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.selection import make_draft
from tests.support.jobs import add_people, run, started
from tests.support.retention import DAY, age, forget

pytestmark = pytest.mark.usefixtures("context")


def left() -> tuple[int, int]:
    """How many jobs and items there are."""
    counts = db.session.query(Job).count(), db.session.query(JobItem).count()
    db.session.commit()
    return counts


def test_report_goes_when_its_time_is_over(app: Flask) -> None:
    run(started(DEPARTMENT, add_people("1", "2"), department="Охрана"))
    age(Job, "ended_at", 29.9 * DAY)
    forget()
    assert left() == (1, 2)

    age(Job, "ended_at", 30.1 * DAY)
    app.config["JOB_RETENTION"] = 31
    forget()
    assert left() == (1, 2)
    app.config["JOB_RETENTION"] = 30
    forget()

    assert left() == (0, 0)


@pytest.mark.both_databases
def test_job_that_has_not_ended_stays() -> None:
    started(DEPARTMENT, add_people("1"), department="Охрана")
    age(Job, "created_at", 400 * DAY)
    age(Job, "started_at", 400 * DAY)

    forget()

    assert left() == (1, 1)


def test_draft_goes_after_a_day() -> None:
    make_draft(DEPARTMENT, EmployeeFilter(), add_people("1"))
    forget()
    assert left() == (1, 1)

    age(Job, "created_at", 1.1 * DAY)
    forget()

    assert left() == (0, 0)


@pytest.mark.both_databases
def test_long_report_goes_in_several_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "ITEM_BATCH", 2)
    run(started(DEPARTMENT, add_people("1", "2", "3"), department="Охрана"))
    age(Job, "ended_at", 31 * DAY)

    assert [retention.forget_jobs() for _ in range(2)] == [0, 1]
    assert left() == (0, 0)
