"""Of each terminal the last finished comparison stays, and what is being read."""

import pytest

from hikflask.extensions import db
from hikflask.models import Comparison, Difference, PersonThere, Terminal
from hikflask.models.columns import database_now
from hikflask.models.comparison import FAILED
from hikflask.services.comparisons import queries, reading, retention
from hikflask.simulator import Terminal as Simulated
from tests.support.comparisons import compare, strangers

pytestmark = pytest.mark.usefixtures("context")


def kept() -> list[int]:
    found = list(db.session.execute(db.select(Comparison.id).order_by(Comparison.id)).scalars())
    db.session.commit()
    return found


def age(*ids: int) -> None:
    ended = {"ended_at": database_now(-2 * retention.KEPT_SECONDS)}
    db.session.execute(db.update(Comparison).where(Comparison.id.in_(ids)).values(**ended))
    db.session.commit()


def test_last_finished_comparison_stays_and_earlier_ones_go_with_all_they_found(
    simulator: Simulated, terminal: Terminal
) -> None:
    strangers(simulator, ["900"])
    first, second = compare(terminal).id, compare(terminal).id
    running = reading.start(terminal.id, "Анна").id
    assert retention.forget_comparisons() == 0  # A job may still need the first one.
    age(first, second)

    assert retention.forget_comparisons() == 1

    assert kept() == [second, running]
    assert db.session.query(PersonThere).count() == db.session.query(Difference).count() == 1


def test_failed_and_abandoned_comparisons_go(terminal: Terminal) -> None:
    left = reading.start(terminal.id, "Анна").id
    db.session.execute(db.update(Comparison).values(started_at=database_now(-2 * retention.KEPT_SECONDS)))
    db.session.commit()

    retention.forget_comparisons()

    assert queries.row(left).state == FAILED
    age(left)
    assert (retention.forget_comparisons(), kept()) == (1, [])
