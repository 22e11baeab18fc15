"""Who may let a job go on: by what it would do now, and by what is left of it."""

import pytest

from hikflask.extensions import db
from hikflask.models import JobItem, Terminal
from hikflask.models.job import DONE
from hikflask.services.comparisons.plan import REMOVE, SEND, TAKE_OVER
from hikflask.services.core.errors import AdministratorNeeded
from hikflask.services.core.removals import Loss, Losses
from hikflask.services.jobs import lifecycle, losses
from hikflask.services.jobs.kinds import APPLY, DEACTIVATE, TAKING
from tests.support.jobs import add_people, job, started
from tests.support.removals import AGREED, BY_OPERATOR

pytestmark = pytest.mark.usefixtures("context")


def test_plan_takes_access_by_removals_and_by_the_actions_that_it_named(terminal: Terminal) -> None:
    items = [("1", None, SEND), ("2", None, REMOVE), ("3", None, TAKE_OVER)]

    def lost(**params: list[str]) -> Losses:
        return losses.of_rest(job(lifecycle.begin(APPLY, params, terminal_id=terminal.id, items=items).job_id))

    def lose(count: int) -> Losses:
        return Losses((Loss(terminal.id, "Вход", count, count),), count)

    assert (lost(**{TAKING: []}), lost(**{TAKING: [TAKE_OVER]}), lost(**{TAKING: [SEND]})) == (
        lose(1),
        lose(2),
        lose(2),
    )
    assert lost() == lose(2), "a plan of an earlier version"
    last = job(lifecycle.begin(APPLY, {TAKING: []}, terminal_id=terminal.id, items=items).job_id)
    assert losses.needs_administrator(last, losses.of_rest(last))
    db.session.execute(db.update(JobItem).where(JobItem.action == REMOVE).values(state=DONE))
    assert not losses.needs_administrator(last, losses.of_rest(last))


def test_deactivation_is_an_administrators_even_where_nobody_loses_access() -> None:
    claim = started(DEACTIVATE, add_people("1"))
    lifecycle.stop(claim.job_id)

    with pytest.raises(AdministratorNeeded):
        lifecycle.retry(claim.job_id, BY_OPERATOR)
    assert lifecycle.retry(claim.job_id, AGREED) is not None
