"""Rows are claimed by one worker each: the oldest first, whatever others claim at the same moment."""

import threading

import pytest
from flask import Flask
from sqlalchemy import Row

from hikflask.extensions import db
from hikflask.models import Alarm
from hikflask.models.columns import database_now
from hikflask.owned_session import OwnedSession, TransactionMisuse
from hikflask.services.core.db import claim_rows, transaction
from tests.support.between import Between

NOW = database_now()
pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]


def claim(most: int) -> list[Row[str, int]]:
    """Claim so many of the alarms that are due, those with the fewest tries first."""
    due = db.select(Alarm.key, Alarm.tries).where(Alarm.next_try_at <= database_now()).order_by(Alarm.tries)
    return claim_rows(due.limit(most), {"next_try_at": database_now(60.0), "tries": Alarm.tries + 1})


@pytest.fixture(autouse=True)
def keys(context: None) -> list[str]:  # noqa: ARG001
    """Forty alarms that are due, the last one tried least."""
    keys = [f"k{place:02}" for place in range(40)]
    for place, key in enumerate(keys):
        db.session.add(Alarm(key=key, kind="silent", tries=40 - place, began_at=NOW, next_try_at=NOW))
    db.session.commit()
    return keys


def test_first_ones_are_claimed_once_and_returned_by_key_as_they_are_now() -> None:
    assert [claim(2), claim(1), len(claim(99)), claim(99)] == [[("k38", 3), ("k39", 2)], [("k37", 4)], 37, []]


def test_two_workers_at_once_claim_each_row_once(app: Flask, keys: list[str]) -> None:
    claimed: list[str] = []
    both = threading.Barrier(2)

    def work() -> None:
        with app.app_context():
            both.wait()
            while rows := claim(3):
                claimed.extend(row.key for row in rows)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(claimed) == keys


def test_row_that_another_worker_is_about_to_claim_is_left_to_it(between: Between) -> None:
    other = between(OwnedSession, "end_work", lambda: claim(2), before=True)

    claimed = claim(2)

    other.finish()
    assert (claimed, other.result) == ([("k38", 3), ("k39", 2)], [("k36", 5), ("k37", 4)])
    assert other.blocked == (db.engine.dialect.name == "sqlite")


def test_claim_is_no_part_of_anything_that_may_be_taken_back() -> None:
    with pytest.raises(TransactionMisuse), transaction():
        claim(1)
