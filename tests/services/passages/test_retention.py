"""Passages are deleted once they were kept for long enough, whatever is recorded now."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Event, EventCoverage, Terminal
from hikflask.services.core.db import transaction
from hikflask.services.passages import retention
from hikflask.services.photos import storage
from hikflask.services.privacy import passage_traces
from tests.support.between import Between
from tests.support.events import add_events, event_row
from tests.support.retention import DAY, age, forget

pytestmark = pytest.mark.usefixtures("context")


def left() -> list[int]:
    return list(db.session.execute(db.select(Event.serial_no).order_by(Event.serial_no)).scalars())


@pytest.mark.both_databases
def test_passages_and_spans_are_deleted_after_their_days_with_their_pictures(app: Flask, terminal: Terminal) -> None:
    app.config["PASSAGES_KEEP"] = 30
    now = datetime.now(UTC)
    (storage.folder() / "passage_old.jpg").write_bytes(b"picture")
    add_events(
        event_row(terminal, at=now - timedelta(days=31), serial_no=1, picture="passage_old.jpg"),
        event_row(terminal, at=now - timedelta(days=29), serial_no=2),
    )
    for days in (60, 31, 29):
        begun, ended = now - timedelta(days=90), now - timedelta(days=days)
        db.session.add(EventCoverage(terminal_id=terminal.id, from_at=begun, to_at=ended, is_complete=True))

    forget()

    assert left() == [2]
    assert not (storage.folder() / "passage_old.jpg").exists()
    spans = db.session.execute(db.select(EventCoverage.to_at)).scalars().all()
    assert spans == [now - timedelta(days=29)]


def test_record_of_a_clock_that_was_reset_is_kept_since_it_was_read(app: Flask, terminal: Terminal) -> None:
    app.config["PASSAGES_KEEP"] = 30
    add_events(event_row(terminal, at=datetime(1970, 1, 1, 0, 5, tzinfo=UTC), serial_no=1))
    assert (retention.forget_passages(), left()) == (0, [1])
    age(Event, "received_at", 31 * DAY)

    assert (retention.forget_passages(), left()) == (1, [])


def test_one_pass_deletes_some_of_very_many(monkeypatch: pytest.MonkeyPatch, terminal: Terminal) -> None:
    monkeypatch.setattr(retention, "EVENT_BATCH", 2)
    long_ago = datetime.now(UTC) - timedelta(days=100)
    add_events(*(event_row(terminal, at=long_ago + timedelta(hours=n), serial_no=n) for n in range(3)))

    assert (retention.forget_passages(), left()) == (2, [2])


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_retention_and_an_erasure_do_not_wait_for_each_other(terminal: Terminal, between: Between) -> None:
    """A log is read backwards, so the oldest passages have the highest ids."""
    long_ago = datetime.now(UTC) - timedelta(days=200)
    add_events(
        event_row(terminal, at=long_ago, serial_no=2, number="100222"),
        event_row(terminal, at=long_ago - timedelta(hours=1), serial_no=1, number="100333"),
    )
    other = between(passage_traces, "forget", retention.forget_passages)

    with transaction():
        passage_traces.forget(["100222"], None)
        passage_traces.forget(["100333"], None)
    other.finish()

    assert (other.blocked, other.error, other.result, left()) == (True, None, 2, [])
