"""Pictures of passages: fetched where that is wanted, some at a time, kept for days, and deleted with their files."""

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from hikflask.extensions import db
from hikflask.isapi import events
from hikflask.models import Event, EventLog, Terminal
from hikflask.services.core.db import transaction, transactional
from hikflask.services.passages import intake, pictures
from hikflask.services.passages.retention import delete_some
from hikflask.services.photos import storage
from hikflask.services.privacy import passage_traces
from hikflask.services.terminals import connection
from hikflask.simulator import Terminal as Simulated
from tests.support.between import Between
from tests.support.captures import FACE
from tests.support.events import add_events, event_row
from tests.support.retention import age


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"PASSAGES": "poll", "PASSAGES_PICTURES": "7"}


@pytest.fixture(autouse=True)
def log(context: None, terminal: Terminal) -> EventLog:  # noqa: ARG001 - needs it
    """The log of the terminal, of which pictures are fetched from now on."""
    row = EventLog(terminal_id=terminal.id)
    with transaction():
        db.session.add(row)
    fetch(terminal)
    return row


def seen(terminal: Terminal, simulator: Simulated, *, days_ago: int = 0, gone: bool = False, number: str = "") -> Event:
    """An event of which the terminal has a picture, at the address that it had before."""
    record = simulator.events.add(5, 76, picture=FACE)
    assert record is not None
    row = event_row(terminal, at=datetime.now(UTC) - timedelta(days=days_ago), code=(5, 76), number=number)
    path = record.picture_path.replace("acsLinkCap", "gone") if gone else record.picture_path
    row.record |= {"pictureURL": f"http://192.0.2.9{path}"}
    add_events(row)
    return row


def fetch(terminal: Terminal) -> bool:
    with connection.converse(terminal.id, "test", "test", wait=0.0) as conversation:
        has_more = pictures.fetch(conversation)
    db.session.expire_all()
    return has_more


def files() -> list[Path]:
    return sorted(storage.folder().iterdir())


def test_picture_of_a_new_event_is_kept_as_a_file_that_says_nobodys_name(
    terminal: Terminal, simulator: Simulated
) -> None:
    event = seen(terminal, simulator)
    assert fetch(terminal) is False
    (file,) = files()
    assert (file.name, file.name.startswith("passage_")) == (event.picture, True)
    assert stat.S_IMODE(file.stat().st_mode) & 0o137 == 0
    assert (pictures.read(event.id), file.read_bytes()[:2]) == (file.read_bytes(), b"\xff\xd8")
    simulator.log.clear()
    fetch(terminal)
    assert [call for call in simulator.log if "LOCALS" in str(call)] == []


def test_picture_of_somebody_who_is_erased_meanwhile_is_not_kept(
    terminal: Terminal, simulator: Simulated, between: Between
) -> None:
    event = seen(terminal, simulator, number="100222")
    erased = between(events, "picture", transactional(lambda: passage_traces.forget(["100222"], None)))
    fetch(terminal)
    erased.finish()
    assert (erased.result, event.number, event.picture, files()) == ((1, []), "", None, [])


def test_reading_of_a_log_ends_with_the_pictures_of_what_is_new(terminal: Terminal, simulator: Simulated) -> None:
    simulator.events.add(5, 76, picture=FACE)
    intake.read_log(terminal.id, "test")
    assert [event.picture for event in db.session.execute(select(Event)).scalars()] == [file.name for file in files()]
    assert len(files()) == 1


def test_old_events_and_pictures_that_are_gone_are_passed_over(terminal: Terminal, simulator: Simulated) -> None:
    rows = [seen(terminal, simulator, days_ago=8), seen(terminal, simulator, gone=True), seen(terminal, simulator)]
    assert fetch(terminal) is False
    assert [row.picture is not None for row in rows] == [False, False, True]


def test_one_conversation_fetches_so_many_and_the_next_goes_on(
    terminal: Terminal, simulator: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [seen(terminal, simulator) for _ in range(3)]
    monkeypatch.setattr(pictures, "MAX_PICTURES", 2)
    assert (fetch(terminal), len(files())) == (True, 2)
    assert (fetch(terminal), len(files())) == (False, 3)
    monkeypatch.setattr(pictures, "MAX_BYTES", 1)
    rows += [seen(terminal, simulator) for _ in range(2)]
    assert (fetch(terminal), len(files())) == (True, 4)
    assert rows[0].picture


def test_busy_terminal_is_asked_again_and_one_that_refuses_a_picture_is_not(
    terminal: Terminal, simulator: Simulated
) -> None:
    event = seen(terminal, simulator)
    simulator.faults.add("refuse", "deviceBusy", path="/LOCALS/pic/*", times=1)
    assert (fetch(terminal), event.picture) == (False, None)
    fetch(terminal)
    assert event.picture
    simulator.faults.add("refuse", "notSupport", path="/LOCALS/pic/*", times=2)
    refused, next_one = seen(terminal, simulator), seen(terminal, simulator)
    fetch(terminal)
    assert (refused.picture, next_one.picture is not None) == (None, True)


def test_picture_that_never_comes_is_given_up_after_an_hour(terminal: Terminal, simulator: Simulated) -> None:
    stuck, behind = seen(terminal, simulator), seen(terminal, simulator)
    simulator.faults.add("refuse", "deviceBusy", path="/LOCALS/pic/*", times=2)
    fetch(terminal)
    assert behind.picture is None
    age(Event, "received_at", 3601)
    fetch(terminal)
    fetch(terminal)
    assert (stuck.picture, behind.picture is not None) == (None, True)


def test_refused_login_stops_all_that_asks_the_terminal(terminal: Terminal, simulator: Simulated) -> None:
    seen(terminal, simulator)
    simulator.faults.add("locked", path="/LOCALS/pic/*", times=1)

    intake.read_log(terminal.id, "test")

    db.session.expire_all()
    assert db.session.get_one(Terminal, terminal.id).refused_since is not None
    assert intake.claim_due() == []


def test_pictures_go_when_their_days_are_over(terminal: Terminal, simulator: Simulated) -> None:
    old, new = seen(terminal, simulator), seen(terminal, simulator)
    fetch(terminal)
    with transaction():
        old.occurred_at -= timedelta(days=7)
    assert pictures.forget() == 1
    db.session.expire_all()
    assert (old.picture, [file.name for file in files()]) == (None, [new.picture])


def test_pictures_go_and_none_of_that_time_come_once_they_are_switched_off(
    app: Flask, terminal: Terminal, simulator: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = seen(terminal, simulator)
    fetch(terminal)
    with monkeypatch.context() as patch:
        patch.setitem(app.config, "PASSAGES_PICTURES", 0)
        assert pictures.read(event.id) is None
        later = seen(terminal, simulator)
        assert (fetch(terminal), later.picture) == (False, None)
        assert (pictures.forget(), files()) == (1, [])
    fetch(terminal)
    fetch(terminal)
    assert (later.picture, files()) == (None, [])


def test_picture_goes_with_its_event_and_what_a_killed_process_left_by_its_age(
    terminal: Terminal, simulator: Simulated
) -> None:
    seen(terminal, simulator)
    fetch(terminal)
    delete_some(None)
    assert files() == []
    left = storage.folder() / f"passage_{'x' * 22}.jpg"
    left.write_bytes(FACE)
    pictures.forget()
    assert files() == [left]
    os.utime(left, (0, 0))
    pictures.forget()
    assert files() == []
