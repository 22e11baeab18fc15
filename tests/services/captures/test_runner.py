"""How a capture runs and ends, and what it leaves of the one before."""

from dataclasses import replace

import pytest
from flask import Flask

from hikflask.background import tasks
from hikflask.extensions import db
from hikflask.isapi import capture as isapi_capture
from hikflask.models import Capture, Terminal
from hikflask.models.capture import CANCELLED, CAPTURED, FAILED, SUPERSEDED, WAITING
from hikflask.models.columns import database_now
from hikflask.services.captures import deadline
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.lifecycle import cancel_capture, start_capture
from hikflask.services.captures.runner import run_capture
from hikflask.services.core.errors import ServiceError
from hikflask.services.photos import storage
from hikflask.services.terminals import checks, leases
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import NobodyCame
from tests.conftest import NobodyComes
from tests.support.captures import FACE, IVAN, capture_face
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


def state(capture: Capture) -> str:
    return deadline.view(capture.id).state


def test_captured_picture_is_stored_byte_for_byte(simulator: Simulated, terminal: Terminal) -> None:
    taken = capture_face(simulator, terminal)

    assert taken.state == CAPTURED
    assert taken.photo is not None
    assert taken.photo.file.startswith("100222_")
    assert (storage.folder() / taken.photo.file).read_bytes() == FACE
    assert taken.photo.sha256 == storage.sha256(FACE)
    assert taken.face_url == "https://192.168.1.67/LOCALS/pic/web_face_enrollpic.jpg@WEB000000000020"


def test_picture_for_no_number_yet_is_stored_all_the_same(simulator: Simulated, terminal: Terminal) -> None:
    taken = capture_face(simulator, terminal, Draft())

    assert taken.photo is not None
    assert taken.photo.file.startswith("capture_")


def test_nobody_came_is_a_failure_with_its_reason(terminal: Terminal, nobody_comes: NobodyComes) -> None:
    with nobody_comes():
        ended = run_capture(start_capture(terminal.id, IVAN, "Анна").id)

    assert (ended.state, ended.refusal_code) == (FAILED, "capturetimeout")
    assert ended.draft_name == "Иван Иванов"


@pytest.mark.parametrize("answer", ["done", "deviceError"])
def test_terminal_that_ends_without_a_picture_is_asked_until_somebody_comes(
    simulator: Simulated, terminal: Terminal, monkeypatch: pytest.MonkeyPatch, answer: NobodyCame
) -> None:
    monkeypatch.setattr(isapi_capture, "ASK_AGAIN", 0.01)
    simulator.profile = replace(simulator.profile, nobody_came=answer)
    simulator.after("CaptureFaceData", lambda: simulator.present_alone(FACE))

    ended = run_capture(start_capture(terminal.id, IVAN, "Анна").id)

    assert (ended.state, ended.photo and ended.photo.sha256) == (CAPTURED, storage.sha256(FACE))
    assert [entry.plain_path for entry in simulator.log].count(isapi_capture.PATH) == 2


@pytest.mark.parametrize("answer", ["done", "deviceError", "timeOut"])
def test_terminal_that_ends_without_a_picture_saw_nobody(
    simulator: Simulated, terminal: Terminal, nobody_comes: NobodyComes, answer: NobodyCame
) -> None:
    simulator.profile = replace(simulator.profile, nobody_came=answer)

    with nobody_comes():
        ended = run_capture(start_capture(terminal.id, IVAN, "Анна").id)

    assert (ended.state, ended.refusal_code) == (FAILED, "capturetimeout")


@pytest.mark.both_databases
def test_picture_that_is_none_is_said_and_not_asked_for_again(simulator: Simulated, terminal: Terminal) -> None:
    """To the terminal it was a success, which it remembers for a moment."""
    simulator.profile = replace(simulator.profile, capture_types=("binary",))
    checks.check(terminal.id, "test")
    simulator.present(FACE[:64], stay=1000)

    ended = run_capture(start_capture(terminal.id, IVAN, "Анна").id)

    assert (ended.state, ended.refusal_code) == (FAILED, "unusable_picture")
    assert [entry.plain_path for entry in simulator.log].count(isapi_capture.PATH) == 1
    assert db.session.get_one(Terminal, terminal.id, populate_existing=True).last_capture_at is not None


@pytest.mark.both_databases
def test_same_number_may_be_captured_again_at_once(simulator: Simulated, terminal: Terminal) -> None:
    first = capture_face(simulator, terminal)

    second = capture_face(simulator, terminal, take_over=False)

    assert (state(first), state(second)) == (SUPERSEDED, CAPTURED)


def test_capture_that_fails_leaves_the_earlier_picture_good(
    simulator: Simulated, terminal: Terminal, nobody_comes: NobodyComes
) -> None:
    first = capture_face(simulator, terminal)

    with nobody_comes():
        failed = run_capture(start_capture(terminal.id, IVAN, "Анна").id)

    assert (state(failed), state(first)) == (FAILED, CAPTURED)


def test_cancelled_capture_stores_nothing(app: Flask, simulator: Simulated, terminal: Terminal) -> None:
    started = start_capture(terminal.id, IVAN, "Анна")
    simulator.present(FACE, stay=1000)

    def cancel() -> None:
        with app.app_context():
            cancel_capture(started.id)

    simulator.before("CaptureFaceData", cancel)
    ended = run_capture(started.id)

    assert ended.state == CANCELLED
    assert list(storage.folder().iterdir()) == []


@pytest.mark.both_databases
def test_capture_that_is_deleted_with_its_person_stores_nothing(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    started = start_capture(terminal.id, IVAN, "Анна")
    simulator.present(FACE, stay=1000)

    def delete() -> None:
        with app.app_context():
            db.session.execute(db.delete(Capture))
            db.session.commit()

    simulator.before("CaptureFaceData", delete)
    tasks.run_capture(started.id)

    assert list(storage.folder().iterdir()) == []
    with pytest.raises(ServiceError, match=r"^cancelled$"):
        run_capture(started.id)


def test_cancelled_before_it_began_is_not_begun(simulator: Simulated, terminal: Terminal) -> None:
    started = start_capture(terminal.id, IVAN, "Анна")
    cancel_capture(started.id)

    run_capture(started.id)

    assert simulator.log == []


@pytest.mark.both_databases
def test_capture_too_late_for_its_lease_writes_nothing(app: Flask, simulator: Simulated, terminal: Terminal) -> None:
    started = start_capture(terminal.id, IVAN, "Анна")
    simulator.present(FACE, stay=1000)

    def somebody_else() -> None:
        with app.app_context():
            db.session.execute(db.update(Terminal).values(lease_until=database_now(-1)))
            db.session.commit()
            leases.acquire(terminal.id, "Борис", "save", 30)

    simulator.after("CaptureFaceData", somebody_else)
    ended = run_capture(started.id)

    assert (ended.state, ended.photo_id) == (FAILED, None)
    assert list(storage.folder().iterdir()) == []


@pytest.mark.both_databases
def test_task_that_runs_twice_does_not_end_the_first_run(terminal: Terminal) -> None:
    started = start_capture(terminal.id, IVAN, "Анна")
    leases.acquire(terminal.id, "Анна", leases.CAPTURE, 30)
    db.session.execute(db.update(Capture).values(state=WAITING))
    db.session.commit()

    run_capture(started.id)

    assert state(started) == WAITING


@pytest.mark.both_databases
def test_terminal_that_is_away_is_said(wire: InProcess, terminal: Terminal) -> None:
    wire.away.add("terminal.test")

    ended = run_capture(start_capture(terminal.id, IVAN, "Анна").id)

    assert (ended.state, ended.refusal_code) == (FAILED, "unreachable")


def test_busy_terminal_is_asked_once_more(
    simulator: Simulated, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isapi_capture, "BUSY_PAUSE", 0.01)
    simulator.faults.add("busy")

    ended = run_capture(start_capture(terminal.id, IVAN, "Анна").id)

    assert (ended.state, ended.refusal_code) == (FAILED, "devicebusy")
    assert [entry.plain_path for entry in simulator.log].count(isapi_capture.PATH) == 2
