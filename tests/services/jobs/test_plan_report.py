"""What a job did for whom: counted by action, and read portion by portion."""

import pytest

from hikflask.extensions import db
from hikflask.models import Job, JobItem
from hikflask.services.jobs import plan_report as applied
from hikflask.services.jobs.kinds import APPLY
from tests.support.jobs import add_people

pytestmark = pytest.mark.usefixtures("context")


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

    first, second = applied.done(job.id, "send", 10)

    assert applied.counts(job.id) == {"remove": 1, "send": 2}
    assert (first.item.number, first.employee and first.employee.name) == ("1", "Иван Иванов 1")
    assert (second.item.number, second.employee) == ("4", None)
    assert [one.item.number for one in applied.done(job.id, "send", 1, after=first.item.id)] == ["4"]
