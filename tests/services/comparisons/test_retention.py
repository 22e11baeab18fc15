"""Of each terminal the last two finished comparisons stay, what a job needs, and what is being read."""

import pytest

from hikflask.extensions import db
from hikflask.models import Comparison, Difference, Job, PersonThere, Terminal
from hikflask.models.columns import database_now
from hikflask.models.comparison import FAILED
from hikflask.models.job import DONE
from hikflask.services.comparisons import plan, plan_choices, queries, reading, retention
from hikflask.services.comparisons.plan import TAKE_OVER, Choices
from hikflask.simulator import Terminal as Simulated
from tests.support.comparisons import compare, people_kept, strangers
from tests.support.removals import BY_OPERATOR

pytestmark = pytest.mark.usefixtures("context")


def kept() -> list[int]:
    found = list(db.session.execute(db.select(Comparison.id).order_by(Comparison.id)).scalars())
    db.session.commit()
    return found


def age(*ids: int) -> None:
    ended = {"ended_at": database_now(-2 * retention.KEPT_SECONDS)}
    db.session.execute(db.update(Comparison).where(Comparison.id.in_(ids)).values(**ended))
    db.session.commit()


@pytest.mark.both_databases
def test_comparison_that_ends_deletes_what_it_replaces_part_by_part(
    simulator: Simulated, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "ROWS_AT_ONCE", 2)
    strangers(simulator, ["900", "901", "902"])

    done = [compare(terminal).id for _ in range(4)]

    assert kept() == done[2:]
    assert (people_kept(), db.session.query(Difference).count()) == (6, 6)
    running = reading.start(terminal.id, "Анна").id
    age(*done)
    retention.forget_comparisons()
    assert kept() == [*done[2:], running]


def test_comparison_stays_while_a_job_carries_out_its_plan(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900"])
    planned = compare(terminal)
    made = plan.make(planned, Choices(numbers={"900": TAKE_OVER}))
    planned_id, job_id = planned.id, plan_choices.begin(made, BY_OPERATOR).job_id

    later = [compare(terminal).id for _ in range(3)]

    assert kept() == [planned_id, *later[1:]]
    db.session.execute(db.update(Job).where(Job.id == job_id).values(state=DONE))
    db.session.commit()
    retention.forget_comparisons()
    assert kept() == later[1:]


def test_whom_an_abandoned_comparison_read_goes_at_once_and_why_it_failed_stays_for_a_day(terminal: Terminal) -> None:
    left = reading.start(terminal.id, "Анна").id
    db.session.add(PersonThere(comparison_id=left, number="900"))
    db.session.execute(db.update(Comparison).values(started_at=database_now(-2 * retention.KEPT_SECONDS)))
    db.session.commit()

    retention.forget_comparisons()

    assert (queries.get_comparison(left).state, people_kept()) == (FAILED, 0)
    age(left)
    retention.forget_comparisons()
    assert kept() == []
