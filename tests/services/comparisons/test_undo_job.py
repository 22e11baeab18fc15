"""The job that undoes a taking-over is started once, and only for the people whom somebody was shown."""

import pytest

from hikflask.extensions import db
from hikflask.models import Employee, Job, Terminal
from hikflask.services.changes import lifecycle
from hikflask.services.changes.kinds import APPLY_UNDO
from hikflask.services.comparisons import undo
from hikflask.services.core.errors import PlanChanged, ServiceError
from hikflask.simulator import Terminal as Simulated
from tests.support.between import Between
from tests.support.comparisons import strangers, taken_over
from tests.support.jobs import job as job_of
from tests.support.jobs import run

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


@pytest.fixture
def job(simulator: Simulated, terminal: Terminal) -> Job:
    """The job that took two people over."""
    strangers(simulator, ["900", "901"])
    return taken_over(terminal, "900", "901")


def can_undo(job: Job) -> bool:
    found = undo.can_undo(job_of(job.id))
    db.session.commit()
    return found


def test_undo_is_started_once_and_only_for_whom_was_shown(job: Job) -> None:
    assert can_undo(job)
    with pytest.raises(PlanChanged):
        undo.start(job.id, people=1)

    claim = undo.start(job.id, people=2)

    assert not can_undo(job)
    with pytest.raises(ServiceError, match=r"^undo_started$") as refused:
        undo.start(job.id, people=2)
    assert refused.value.params == {"job": claim.job_id}
    run(claim)
    assert db.session.execute(db.select(Employee.id)).all() == []
    assert not can_undo(job)
    with pytest.raises(ServiceError, match=r"^nothing_to_take_back$"):
        undo.start(job.id)


def test_double_click_starts_one_undo(job: Job, between: Between) -> None:
    again = between(lifecycle, "begin", lambda: undo.start(job.id), before=True)

    claim = undo.start(job.id)
    again.finish()

    assert isinstance(again.error, ServiceError)
    assert (again.error.code, again.error.params) == ("undo_started", {"job": claim.job_id})
    assert db.session.execute(db.select(Job.id).where(Job.kind == APPLY_UNDO)).scalars().all() == [claim.job_id]


def test_who_stayed_may_be_undone_once_they_are_as_before(job: Job) -> None:
    db.session.execute(db.update(Employee).where(Employee.number == "900").values(department="Склад"))
    db.session.commit()
    assert run(undo.start(job.id)).failed == 1

    db.session.execute(db.update(Employee).values(department=""))
    db.session.commit()

    assert run(undo.start(job.id, people=1)).failed == 0
    assert db.session.execute(db.select(Employee.id)).all() == []
