"""What the processes count, as Prometheus reads it: requests, captures, waits for leases, calls to terminals."""

import struct
from contextlib import suppress
from unittest.mock import Mock

import pytest
from flask import Flask

from hikflask.background import tasks
from hikflask.extensions import db
from hikflask.metrics import exposition
from hikflask.models import Capture, Terminal
from hikflask.models.columns import database_now
from hikflask.services.captures.lifecycle import start_capture
from hikflask.services.core.db import transaction
from hikflask.services.core.errors import TerminalInUse
from hikflask.services.state import capture as state
from hikflask.services.terminals import leases
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import IVAN
from tests.support.desk import Desk
from tests.support.metrics import samples

CALLS = (
    "AccessControl/CaptureFaceData",
    "AccessControl/UserInfo/Record",
    "AccessControl/UserInfo/Search",
    "Intelligent/FDLib/FDSetUp",
    "picture",
)


def told(app: Flask) -> dict[str, float]:
    """Each sample by its name and labels."""
    with app.app_context():
        return samples(exposition.text().decode())


def rise(before: dict[str, float], after: dict[str, float], name: str) -> float:
    """By how much a counter has risen."""
    return after[name] - before.get(name, 0)


def test_captures_and_waits_are_told_before_the_first_one(app: Flask) -> None:
    found = told(app)

    captures = {name: value for name, value in found.items() if name.startswith("hikflask_captures_total")}
    assert captures == {
        f'hikflask_captures_total{{end="{end}"}}': 0 for end in ("used", "failed", "cancelled", "superseded")
    }
    for outcome in ("taken", "given_up"):
        assert found[f'hikflask_lease_wait_seconds_count{{outcome="{outcome}"}}'] == 0


def test_enrolment_is_counted_with_its_requests_calls_and_waits(app: Flask, desk: Desk) -> None:
    before = told(app)
    place = desk.save()
    desk.text(place)
    desk.client.open("/nothing", method="MADEUP")
    found = told(app)

    assert rise(before, found, 'hikflask_captures_total{end="used"}') == 1
    for call in CALLS:
        assert rise(before, found, f'hikflask_isapi_seconds_count{{call="{call}"}}') >= 1, call
    assert rise(before, found, 'hikflask_lease_wait_seconds_count{outcome="taken"}') == 2
    for group, method, status in (
        ("captures", "POST", 303), ("employees", "POST", 303), ("employees", "GET", 200), ("other", "other", 404),
    ):  # fmt: skip
        name = f'{{group="{group}",method="{method}",status="{status}"}}'
        assert rise(before, found, f"hikflask_requests_total{name}") == 1, name
    assert rise(before, found, 'hikflask_request_seconds_count{group="employees"}') == 2
    assert found['hikflask_enrolments{state="confirmed"}'] == 1
    assert not [name for name in found for word in ("100222", "Иван", "Охрана", "Анна") if word in name]


@pytest.mark.usefixtures("context", "worker_alive")
def test_capture_is_counted_once_it_has_ended_and_only_if_that_is_kept(
    app: Flask, terminal: Terminal, simulator: Simulated
) -> None:
    assert simulator is not None
    before = told(app)
    capture = start_capture(terminal.id, IVAN, "Анна")
    with suppress(ZeroDivisionError), transaction():
        state.apply(state.CANCELLATION, Capture.id == capture.id)
        raise ZeroDivisionError
    assert told(app)['hikflask_captures_total{end="cancelled"}'] == 0

    db.session.execute(db.update(Capture).values(deadline=database_now(-60)))
    db.session.commit()
    tasks.sweep()
    tasks.sweep()

    assert rise(before, told(app), 'hikflask_captures_total{end="failed"}') == 1


@pytest.mark.usefixtures("context")
def test_wait_that_was_given_up_is_counted_apart(app: Flask, terminal: Terminal) -> None:
    leases.acquire(terminal.id, "Анна", "save", 30)
    before = told(app)

    with pytest.raises(TerminalInUse):
        leases.acquire(terminal.id, "Борис", "save", 30, wait=0.06)

    after = told(app)
    assert rise(before, after, 'hikflask_lease_wait_seconds_count{outcome="given_up"}') == 1
    assert rise(before, after, 'hikflask_lease_wait_seconds_sum{outcome="given_up"}') >= 0.06


def test_process_that_has_only_begun_its_file_is_waited_for(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = [struct.error("a buffer of at least 4 bytes")] * 3
    answers = Mock(side_effect=[*begun, b"", *begun, b""])
    monkeypatch.setattr(exposition, "generate_latest", answers)

    with app.app_context():
        exposition._counted()

    assert answers.call_count == 4
