"""How captures begin, end and stand in each other's way."""

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from hikflask.extensions import db
from hikflask.isapi import capture as isapi_capture
from hikflask.models import Capture, Terminal
from hikflask.models.capture import CANCELLED, CAPTURED, FAILED, QUEUED, SUPERSEDED, WAITING
from hikflask.models.columns import database_now
from hikflask.services.captures import deadline, drafts
from hikflask.services.captures.cancel import cancel_capture, send_cancel
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.runner import run_capture
from hikflask.services.captures.start import start_capture
from hikflask.services.core.errors import LoginStopped, TerminalHeld, TerminalInUse
from hikflask.services.photos import storage
from hikflask.services.terminals import leases
from hikflask.simulator import Terminal as Simulated
from tests.conftest import NobodyComes
from tests.support.captures import FACE, IVAN
from tests.support.wire import InProcess

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]

OLGA = Draft("100333", "Ольга Ёлкина", "")


def take(simulator: Simulated, terminal: Terminal, draft: Draft = IVAN, who: str = "Анна") -> Capture:
    simulator.present_alone(FACE)
    return run_capture(start_capture(terminal.id, draft, who).id)


def age(capture: Capture, seconds: float) -> None:
    """Let time pass for a capture's deadline and hold."""
    later = {"deadline": database_now(-seconds), "hold_until": database_now(-seconds)}
    db.session.execute(db.update(Capture).where(Capture.id == capture.id).values(**later))
    db.session.commit()


def state(capture: Capture) -> str:
    return deadline.view(capture.id).state


def test_captured_picture_is_stored_byte_for_byte(simulator: Simulated, terminal: Terminal) -> None:
    taken = take(simulator, terminal)

    assert taken.state == CAPTURED
    assert taken.photo is not None
    assert taken.photo.file.startswith("100222_")
    assert (storage.folder() / taken.photo.file).read_bytes() == FACE
    assert taken.photo.sha256 == storage.sha256(FACE)
    assert taken.face_url == "https://192.168.1.67/LOCALS/pic/web_face_enrollpic.jpg@WEB000000000020"


def test_picture_for_no_number_yet_is_stored_all_the_same(simulator: Simulated, terminal: Terminal) -> None:
    taken = take(simulator, terminal, Draft())

    assert taken.photo is not None
    assert taken.photo.file.startswith("capture_")


def test_nobody_came_is_a_failure_with_its_reason(terminal: Terminal, nobody_comes: NobodyComes) -> None:
    with nobody_comes():
        ended = run_capture(start_capture(terminal.id, IVAN, "Анна").id)

    assert (ended.state, ended.reason) == (FAILED, "captureTimeout")
    assert ended.draft_name == "Иван Иванов"


def test_second_capture_is_told_who_holds_the_terminal(terminal: Terminal) -> None:
    start_capture(terminal.id, IVAN, "Анна")

    with pytest.raises(TerminalInUse) as refused:
        start_capture(terminal.id, OLGA, "Борис")

    assert refused.value.params["who"] == "Анна"


def test_double_click_is_one_capture(terminal: Terminal) -> None:
    first = start_capture(terminal.id, IVAN, "Анна")

    assert start_capture(terminal.id, IVAN, "Анна", own=first.id).id == first.id


def test_database_refuses_two_running_captures_of_a_terminal(terminal: Terminal) -> None:
    start_capture(terminal.id, IVAN, "Анна")
    db.session.add(Capture(terminal_id=terminal.id, requested_by="Борис", deadline=database_now(30)))

    with pytest.raises(IntegrityError):
        db.session.commit()
    db.session.rollback()


def test_unsaved_picture_holds_the_terminal_against_other_numbers(simulator: Simulated, terminal: Terminal) -> None:
    taken = take(simulator, terminal)

    with pytest.raises(TerminalHeld) as refused:
        start_capture(terminal.id, OLGA, "Борис")

    assert (refused.value.params["name"], refused.value.params["who"]) == ("Иван Иванов", "Анна")
    assert state(taken) == CAPTURED


def test_take_over_supersedes_the_unsaved_picture(simulator: Simulated, terminal: Terminal) -> None:
    taken = take(simulator, terminal)

    start_capture(terminal.id, OLGA, "Борис", take_over=True)

    assert state(taken) == SUPERSEDED


def test_form_with_somebody_elses_picture_asks_before_another_number_is_captured(
    simulator: Simulated, terminal: Terminal
) -> None:
    waiting = take(simulator, terminal)

    with pytest.raises(TerminalHeld):
        start_capture(terminal.id, OLGA, "Борис", own=waiting.id)

    assert start_capture(terminal.id, OLGA, "Анна", own=waiting.id).draft_number == OLGA.number


def test_what_is_typed_is_kept_with_the_callers_own_captures_alone(simulator: Simulated, terminal: Terminal) -> None:
    annas = take(simulator, terminal)
    retake = start_capture(terminal.id, IVAN, "Борис", own=annas.id)

    assert not drafts.keep(annas.id, OLGA, "Борис")
    assert drafts.keep(retake.id, OLGA, "Борис")

    assert [drafts.of(deadline.view(one.id).capture) for one in (annas, retake)] == [IVAN, OLGA]


def test_hold_ends_after_two_minutes(simulator: Simulated, terminal: Terminal) -> None:
    age(take(simulator, terminal), 1)

    assert start_capture(terminal.id, OLGA, "Борис").state == QUEUED


def test_same_number_may_be_captured_again_at_once(simulator: Simulated, terminal: Terminal) -> None:
    first = take(simulator, terminal)

    second = take(simulator, terminal)

    assert (state(first), state(second)) == (SUPERSEDED, CAPTURED)


def test_capture_that_fails_leaves_the_earlier_picture_good(
    simulator: Simulated, terminal: Terminal, nobody_comes: NobodyComes
) -> None:
    first = take(simulator, terminal)

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


def test_cancelled_before_it_began_is_not_begun(simulator: Simulated, terminal: Terminal) -> None:
    started = start_capture(terminal.id, IVAN, "Анна")
    cancel_capture(started.id)

    run_capture(started.id)

    assert simulator.log == []


def test_cancel_is_not_sent_into_somebody_elses_capture(simulator: Simulated, terminal: Terminal) -> None:
    started = start_capture(terminal.id, IVAN, "Анна")
    db.session.execute(db.update(Capture).values(state=WAITING, lease_number=7))
    db.session.commit()
    cancel_capture(started.id)
    simulator.log.clear()

    send_cancel(started.id)

    assert simulator.log == []


def test_worker_killed_in_a_capture_leaves_no_eternal_spinner(simulator: Simulated, terminal: Terminal) -> None:
    started = start_capture(terminal.id, IVAN, "Анна")
    db.session.execute(db.update(Capture).values(state=WAITING))
    db.session.commit()
    age(started, 3)

    assert (deadline.view(started.id).state, deadline.view(started.id).reason) == (FAILED, "interrupted")
    assert take(simulator, terminal, OLGA).state == CAPTURED


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


def test_task_that_runs_twice_does_not_end_the_first_run(terminal: Terminal) -> None:
    started = start_capture(terminal.id, IVAN, "Анна")
    leases.acquire(terminal.id, "Анна", leases.CAPTURE, 30)
    db.session.execute(db.update(Capture).values(state=WAITING))
    db.session.commit()

    run_capture(started.id)

    assert state(started) == WAITING


def test_terminal_that_is_away_is_said(wire: InProcess, terminal: Terminal) -> None:
    wire.away.add("terminal.test")

    ended = run_capture(start_capture(terminal.id, IVAN, "Анна").id)

    assert (ended.state, ended.reason) == (FAILED, "unreachable")


def test_refused_password_stops_every_later_conversation(simulator: Simulated, terminal: Terminal) -> None:
    simulator.login.password = "Changed1"
    ended = run_capture(start_capture(terminal.id, IVAN, "Анна").id)
    simulator.log.clear()

    with pytest.raises(LoginStopped):
        start_capture(terminal.id, IVAN, "Анна")

    assert ended.reason == "wrong_password"
    assert simulator.wrong_passwords == 1
    assert simulator.log == []


def test_busy_terminal_is_asked_once_more(
    simulator: Simulated, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isapi_capture, "BUSY_PAUSE", 0.01)
    simulator.faults.add("busy")

    ended = run_capture(start_capture(terminal.id, IVAN, "Анна").id)

    assert (ended.state, ended.reason) == (FAILED, "deviceBusy")
    assert [entry.plain_path for entry in simulator.log].count(isapi_capture.PATH) == 2


@pytest.mark.usefixtures("context")
class TestWithoutWorker:
    """Pages must say that nobody works, not that nobody came."""

    def test_queued_capture_says_that_no_worker_runs(self, terminal: Terminal) -> None:
        db.session.execute(db.text("DELETE FROM heartbeat"))
        db.session.commit()

        started = start_capture(terminal.id, IVAN, "Анна")

        assert deadline.view(started.id).reason == "no_worker"
