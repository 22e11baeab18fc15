"""Who asks for a capture is refused where the terminal is not free, and told who has it."""

from unittest.mock import Mock

import pytest
from sqlalchemy.exc import IntegrityError

from hikflask.extensions import db
from hikflask.models import Capture, Terminal
from hikflask.models.capture import CANCELLED, CAPTURED, QUEUED, SUPERSEDED, USED
from hikflask.models.columns import database_now
from hikflask.services.captures import deadline, holds, queries
from hikflask.services.captures.lifecycle import cancel_capture, start_capture
from hikflask.services.captures.runner import run_capture
from hikflask.services.core.errors import LoginStopped, NotFound, ServiceError, TerminalInUse
from hikflask.services.employees.erasure import erase_employee
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.state import capture as state
from hikflask.simulator import Terminal as Simulated
from tests.support.between import Between
from tests.support.captures import IVAN, OLGA, capture_face
from tests.support.retention import age

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


def test_second_capture_is_told_who_holds_the_terminal(terminal: Terminal) -> None:
    first = start_capture(terminal.id, IVAN, "Анна")

    with pytest.raises(TerminalInUse) as refused:
        start_capture(terminal.id, OLGA, "Борис")

    assert (refused.value.params["who"], refused.value.params["capture_id"]) == ("Анна", first.id)


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
    taken = capture_face(simulator, terminal)

    with pytest.raises(ServiceError, match=r"^terminal_held$") as refused:
        start_capture(terminal.id, OLGA, "Борис")

    assert (refused.value.params["name"], refused.value.params["who"]) == ("Иван Иванов", "Анна")
    assert deadline.view(taken.id).state == CAPTURED


def test_take_over_supersedes_the_unsaved_picture(simulator: Simulated, terminal: Terminal) -> None:
    taken = capture_face(simulator, terminal)

    start_capture(terminal.id, OLGA, "Борис", take_over=True)

    assert deadline.view(taken.id).state == SUPERSEDED


@pytest.mark.both_databases
def test_picture_stays_usable_when_the_capture_that_takes_it_over_is_refused(
    simulator: Simulated, terminal: Terminal, between: Between
) -> None:
    taken = capture_face(simulator, terminal)
    retake = between(holds, "held_by_another", lambda: start_capture(terminal.id, IVAN, "Анна", own=taken.id))

    with pytest.raises(TerminalInUse) as refused:
        start_capture(terminal.id, OLGA, "Борис", take_over=True)

    retake.finish()
    assert refused.value.params["who"] == "Анна"
    assert deadline.view(taken.id).state == CAPTURED
    assert cancel_capture(retake.result.id)
    assert save_employee(IVAN, FaceSource(taken.id, "Анна")).row.photo_id == taken.photo_id


@pytest.mark.both_databases
@pytest.mark.parametrize("is_named", [True, False])
def test_employee_who_is_erased_at_that_moment_is_not_captured(
    terminal: Terminal, between: Between, is_named: bool
) -> None:
    ivan = save_employee(IVAN).row
    eraser = between(holds, "held_by_another", lambda: erase_employee(ivan.id))

    with pytest.raises(NotFound, match=r"^employee_unknown$"):
        start_capture(terminal.id, IVAN, "Анна", employee_id=ivan.id if is_named else None)

    eraser.finish()
    assert eraser.error is None
    assert db.session.execute(db.select(Capture.id)).all() == []


@pytest.mark.both_databases
def test_erasure_waits_for_a_capture_that_begins_and_finds_it(terminal: Terminal, between: Between) -> None:
    ivan = save_employee(IVAN).row
    eraser = between(state, "create", lambda: erase_employee(ivan.id))

    started = start_capture(terminal.id, IVAN, "Анна", employee_id=ivan.id)

    eraser.finish()
    assert (eraser.blocked, eraser.error) == (True, None)
    erased = queries.get(started.id)
    assert erased is not None
    assert (erased.state, erased.draft_number, erased.draft_name) == (CANCELLED, "", "")


@pytest.mark.both_databases
@pytest.mark.parametrize("is_saved", [False, True])
def test_process_killed_before_a_capture_began_has_taken_nothing_over(
    simulator: Simulated, terminal: Terminal, monkeypatch: pytest.MonkeyPatch, is_saved: bool
) -> None:
    taken = capture_face(simulator, terminal)
    before = (USED if is_saved else CAPTURED, taken.hold_until)
    if is_saved:
        save_employee(IVAN, FaceSource(taken.id, "Анна"))
    monkeypatch.setattr(state, "create", Mock(side_effect=KeyboardInterrupt))

    with pytest.raises(KeyboardInterrupt):
        start_capture(terminal.id, OLGA, "Борис", take_over=True)

    db.session.rollback()
    capture = queries.get_one(taken.id)
    assert (capture.state, capture.hold_until) == before


def test_form_with_somebody_elses_picture_asks_before_another_number_is_captured(
    simulator: Simulated, terminal: Terminal
) -> None:
    waiting = capture_face(simulator, terminal)

    with pytest.raises(ServiceError, match=r"^terminal_held$"):
        start_capture(terminal.id, OLGA, "Борис", own=waiting.id)

    assert start_capture(terminal.id, OLGA, "Анна", own=waiting.id).draft_number == OLGA.number


@pytest.mark.both_databases
def test_hold_ends_after_two_minutes(simulator: Simulated, terminal: Terminal) -> None:
    capture_face(simulator, terminal)
    age(Capture, "hold_until", 1)

    assert start_capture(terminal.id, OLGA, "Борис").state == QUEUED


@pytest.mark.both_databases
def test_refused_password_stops_every_later_conversation(simulator: Simulated, terminal: Terminal) -> None:
    simulator.login.password = "Changed1"
    ended = run_capture(start_capture(terminal.id, IVAN, "Анна").id)
    simulator.log.clear()

    with pytest.raises(LoginStopped):
        start_capture(terminal.id, IVAN, "Анна")

    assert ended.refusal_code == "wrong_password"
    assert simulator.wrong_passwords == 1
    assert simulator.log == []
