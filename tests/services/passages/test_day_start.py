"""Which beginning of the day leaves shifts whole where the current one cuts them in two."""

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest
from flask import current_app

from hikflask.extensions import db
from hikflask.models import Employee, Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.passages import day_start
from hikflask.services.passages.day_start import Proposal
from tests.services.passages.test_days import MONDAY, WEEK, passed
from tests.support.employees import save_with_file
from tests.support.groups import add_terminals

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("context")]
Works = Callable[..., None]


@pytest.fixture(name="settings")
def in_moscow() -> dict[str, Any]:
    return {"PASSAGES": "poll", "TIMEZONE": "Europe/Moscow"}


@pytest.fixture(name="works")
def shifts(context: None) -> Works:  # noqa: ARG001
    """What lets somebody work the same shift for some days from Monday on, with breaks in it."""
    ids = {way: add_terminals(way, direction=way)[way] for way in ("in", "out")}
    doors = {way: db.session.get_one(Terminal, terminal_id) for way, terminal_id in ids.items()}

    def work(employee: Employee, *clocks: str, days: int = 4) -> None:
        for number in range(days):
            for place, clock in enumerate(clocks):
                day = MONDAY + timedelta(days=number + (clock < clocks[0]))
                passed(doors["out" if place % 2 else "in"], employee, clock, day=day)

    return work


def test_beginning_is_proposed_that_leaves_night_and_day_shifts_whole(works: Works) -> None:
    ivan, olga = save_with_file(), save_with_file(Draft("100333", "Ольга Ёлкина", "Склад"))
    works(ivan, "22:00", "02:00", "02:30", "06:05")
    assert day_start.proposed([ivan.id], WEEK) == Proposal(time(10), 4)
    works(olga, "08:20", "12:00", "13:00", "17:30")

    # The day shift must not begin before the day.
    assert day_start.proposed([ivan.id, olga.id], WEEK) == Proposal(time(8), 4)


def test_nothing_is_proposed_where_few_shifts_are_cut_or_another_beginning_cuts_as_many(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    ivan, olga, yana = (save_with_file(Draft(number, number, "")) for number in ("100222", "100333", "100444"))
    works(ivan, "09:00", "18:00")
    works(olga, "22:00", "06:05", days=2)
    # Somebody who never passes at an exit has no shift.
    works(yana, "22:00")
    assert day_start.proposed([ivan.id, olga.id, yana.id], WEEK) is None

    works(olga, "22:00", "06:05")
    assert day_start.proposed([ivan.id, olga.id], WEEK) == Proposal(time(8), 4)
    works(yana, "04:00", "13:00")
    assert day_start.proposed([olga.id, yana.id], WEEK) is None

    monkeypatch.setitem(current_app.config, "PASSAGES_DAY_START", time(8))
    assert day_start.proposed([ivan.id, olga.id], WEEK) is None
