"""When a terminal answered: a row for each change, what is known of the last day, and what is deleted."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.isapi.errors import Unreachable
from hikflask.models import ReachabilityChange, Terminal
from hikflask.models.columns import database_now
from hikflask.services.terminals import checks, reachability, registry
from hikflask.services.terminals.registry import Access
from tests.conftest import PASSWORD

pytestmark = pytest.mark.usefixtures("context", "worker_alive")
NOW = datetime.now(UTC)


def hours_ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def check(terminal: Terminal) -> None:
    with suppress(Unreachable):
        checks.check(terminal.id, "test")


def states() -> list[bool | None]:
    rows = db.session.execute(db.select(ReachabilityChange).order_by(ReachabilityChange.at, ReachabilityChange.id))
    return [row.is_reachable for row in rows.scalars()]


def row() -> Terminal:
    return db.session.get_one(Terminal, 1, populate_existing=True)


def update(**columns: object) -> Terminal:
    db.session.execute(db.update(Terminal).values(**columns))
    db.session.commit()
    return row()


def known(terminal: Terminal, *changes: tuple[float, bool | None]) -> list[tuple[float, float, bool | None]]:
    """What is known of the last day, as hours ago, after changes so many hours ago."""
    db.session.execute(db.delete(ReachabilityChange))
    rows = [{"terminal_id": terminal.id, "at": hours_ago(hours), "is_reachable": state} for hours, state in changes]
    if rows:
        db.session.execute(db.insert(ReachabilityChange), rows)
    db.session.commit()
    stretches = reachability.last_day([terminal], NOW)[terminal.id]
    ago = [tuple(round((NOW - time) / timedelta(hours=1), 2) for time in (one.begins, one.ends)) for one in stretches]
    return [(begins, ends, one.answered) for (begins, ends), one in zip(ago, stretches, strict=True)]


def test_only_a_change_is_written(app: Flask, terminal: Terminal) -> None:
    away = app.extensions["terminal_transport"].away
    update(reachable=None)
    for is_away in (False, False, True, True, False):
        (away.add if is_away else away.discard)("terminal.test")
        check(terminal)

    assert states() == [True, False, True]


def test_terminal_that_is_edited_and_answers_as_before_has_no_change(terminal: Terminal) -> None:
    update(reachable=None)
    check(terminal)
    registry.change(terminal.id, Access("Вход", terminal.url, "admin", PASSWORD), "test")
    assert row().reachable is None
    check(terminal)

    assert states() == [True]


@pytest.mark.both_databases
def test_time_without_measurement_is_not_known(app: Flask, terminal: Terminal) -> None:
    """As when the program did not run, or the password was refused, for two hours."""
    update(reachable=None)
    check(terminal)
    db.session.execute(db.update(ReachabilityChange).values(at=hours_ago(5)))
    update(answered_at=hours_ago(2))
    before = reachability.last_day([row()])[terminal.id]
    check(terminal)
    after = reachability.last_day([row()])[terminal.id]

    assert [one.answered for one in before] == [None, True, None]
    assert [one.answered for one in after] == [None, True, None, True]
    assert (before[1].ends, before[1].ends) == (hours_ago(2), after[1].ends)
    app.extensions["terminal_transport"].away.add("terminal.test")
    update(answered_at=hours_ago(1))
    check(terminal)
    assert [one.answered for one in reachability.last_day([row()])[terminal.id]][-3:] == [True, None, False]


@pytest.mark.both_databases
def test_last_day_begins_with_what_was_so_then(terminal: Terminal) -> None:
    terminal = update(answered_at=NOW, backoff_until=None)

    assert known(terminal) == [(24, 0, None)]
    assert known(terminal, (40, False), (30, True)) == [(24, 0, True)]
    assert known(terminal, (30, True), (7, False), (6, True)) == [(24, 7, True), (7, 6, False), (6, 0, True)]
    assert known(terminal, (20, True)) == [(24, 20, None), (20, 0, True)]
    gap = [(30, True), (10, None), (4, True)]
    assert known(terminal, *gap) == [(24, 10, True), (10, 4, None), (4, 0, True)]
    assert known(terminal, (30, True), (26, None)) == [(24, 0, None)]
    off = update(backoff_until=NOW - timedelta(hours=3) + timedelta(seconds=15))
    assert known(off, (20, True), (4, False)) == [(24, 20, None), (20, 4, True), (4, 3, False), (3, 0, None)]


@pytest.mark.both_databases
def test_old_changes_are_deleted_save_what_was_so_when_the_period_begins(terminal: Terminal) -> None:
    for days in (50, 40, 31, 29):
        at = database_now(-days * 24 * 3600.0)
        db.session.add(ReachabilityChange(terminal_id=terminal.id, at=at, is_reachable=days % 2 == 0))
    db.session.commit()

    assert reachability.forget_old() == 2
    assert states() == [False, False]
    assert reachability.forget_old() == 0


def test_changes_go_with_their_terminal(terminal: Terminal) -> None:
    update(reachable=None)
    check(terminal)
    registry.delete(terminal.id, "test")

    assert states() == []
