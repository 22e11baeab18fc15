"""The job that reads a comparison: one at a time, and another one goes on when it was stopped."""

import pytest

from hikflask.extensions import db
from hikflask.models import Comparison, Job, Terminal
from hikflask.services.core.errors import ServiceError
from hikflask.services.jobs import comparisons, lifecycle

pytestmark = pytest.mark.usefixtures("context")


def test_second_start_waits_for_the_same_comparison(terminal: Terminal) -> None:
    first, second = comparisons.start_compare(terminal.id), comparisons.start_compare(terminal.id)

    assert (first is None, second is None) == (False, True)
    assert db.session.execute(db.select(Job.params["terminal"].as_string())).scalars().all() == ["Вход"]


def test_comparison_whose_job_was_stopped_goes_on_in_another_one(terminal: Terminal) -> None:
    first = comparisons.start_compare(terminal.id)
    assert first is not None
    lifecycle.stop(first.job_id)

    second = comparisons.start_compare(terminal.id)

    assert second is not None
    assert second.job_id != first.job_id
    assert len(db.session.execute(db.select(Comparison.id)).all()) == 1


def test_terminal_that_is_not_there_is_not_compared() -> None:
    with pytest.raises(ServiceError, match=r"^terminal_unknown$"):
        comparisons.start_compare(9)
