"""When a picture keeps a terminal from other numbers, and for how long."""

import dataclasses
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.background import tasks
from hikflask.extensions import db
from hikflask.models import Capture, Terminal
from hikflask.models.capture import CAPTURED, QUEUED, SUPERSEDED, USED
from hikflask.models.columns import database_now
from hikflask.services.captures import holds
from hikflask.services.captures import queries as captures
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.lifecycle import cancel_capture, start_capture
from hikflask.services.captures.runner import run_capture
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees.lifecycle import send_to_terminal
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SkippingClock
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.faces import NAMES, draw
from hikflask.simulator.profiles import PROFILES, SEED, Profile
from tests.conftest import HOST, PASSWORD
from tests.support.captures import FACE
from tests.support.enrolments import employee_of
from tests.support.trail import entries
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")

IVAN, OLGA, PYOTR = Draft("100222", "Иван Иванов"), Draft("100333", "Ольга Ёлкина"), Draft("100444", "Пётр Ли")
FACES = [draw(name) for name in NAMES[:3]]

Put = Callable[[str, Profile], tuple[Simulated, Terminal]]


@pytest.fixture
def put(wire: InProcess) -> Put:
    """Put up one more terminal, checked."""

    def up(name: str, profile: Profile) -> tuple[Simulated, Terminal]:
        quick = dataclasses.replace(profile, refuse_after_success=0)
        simulated = Simulated(PASSWORD, clock=SkippingClock(), profile=quick)
        wire.put(f"{name}.test", simulated)
        added = registry.add(Access(name, f"http://{name}.test", "admin", PASSWORD))
        return simulated, checks.check(added.id, "test")

    return up


def take(simulated: Simulated, terminal: Terminal, draft: Draft, *, take_over: bool = False) -> Capture:
    simulated.present_alone(FACES[0])
    return run_capture(start_capture(terminal.id, draft, "Анна", take_over=take_over).id)


def save(draft: Draft, capture: Capture) -> int:
    """Save the capture for a new employee; nothing is sent yet. Return the enrolment at its terminal."""
    save_employee(draft, FaceSource(capture.id, capture.requested_by))
    wanted = queries.find(capture.terminal_id, draft.number)
    assert wanted is not None
    return wanted.id


def test_a_saved_picture_holds_until_it_is_bound_there(simulator: Simulated, terminal: Terminal) -> None:
    wanted = save(IVAN, take(simulator, terminal, IVAN))

    with pytest.raises(ServiceError, match=r"^terminal_held$") as held:
        start_capture(terminal.id, OLGA, "Борис")
    reconcile(wanted, "test")

    assert (held.value.params["saved_name"], held.value.params["who"]) == ("Иван Иванов", "Анна")
    assert "name" not in held.value.params
    assert take(simulator, terminal, OLGA).state == CAPTURED


def test_next_capture_of_the_same_operator_may_wait_for_the_face_that_was_saved(
    simulator: Simulated, terminal: Terminal
) -> None:
    saved = take(simulator, terminal, IVAN)
    wanted = save(IVAN, saved)

    with pytest.raises(ServiceError, match=r"^terminal_held$"):
        start_capture(terminal.id, OLGA, "Анна")
    queued = start_capture(terminal.id, OLGA, "Анна", behind=saved.id)

    assert holds.begins_later(queued.id)
    first = holds.bound_first(queued)
    assert first is not None
    assert first.draft_name == "Иван Иванов"
    assert holds.queued_beside(wanted) == [queued.id]
    reconcile(wanted, "test")
    assert not holds.begins_later(queued.id)
    simulator.present_alone(FACES[1])
    assert run_capture(queued.id).state == CAPTURED


def test_only_the_picture_that_was_named_is_waited_for(simulator: Simulated, terminal: Terminal) -> None:
    saved = take(simulator, terminal, IVAN)
    save(IVAN, saved)

    with pytest.raises(ServiceError, match=r"^terminal_held$"):
        start_capture(terminal.id, OLGA, "Анна", behind=saved.id + 1)


def test_picture_by_binary_is_verified_before_the_terminal_waits_for_the_next_face(put: Put) -> None:
    simulated, terminal = put("binary", PROFILES["K1T341CMFW"])
    wanted = save(IVAN, take(simulated, terminal, IVAN))

    queued = start_capture(terminal.id, OLGA, "Анна")
    assert holds.begins_later(queued.id)
    reconcile(wanted, "test")

    assert not holds.begins_later(queued.id)


def test_task_leaves_alone_a_capture_that_waits_and_runs_it_after_the_face_is_bound(
    simulator: Simulated, terminal: Terminal, run_jobs: Callable[[], int]
) -> None:
    saved = take(simulator, terminal, IVAN)
    wanted = save(IVAN, saved)
    queued = start_capture(terminal.id, OLGA, "Анна", behind=saved.id)

    tasks.run_capture(queued.id)
    assert captures.get_one(queued.id).state == QUEUED
    simulator.present_alone(FACES[1])
    tasks.reconcile_enrolment(wanted)
    run_jobs()

    assert captures.get_one(queued.id).state == CAPTURED
    assert queries.get_one(wanted).is_green


def test_a_terminal_that_is_off_holds_up_nobody_elsewhere(
    wire: InProcess, put: Put, simulator: Simulated, terminal: Terminal
) -> None:
    """Three terminals, one off that takes pictures: forty captures in a row at the others, without one question."""
    second = put("second", SEED)
    put("off", PROFILES["K1T341CMFW"])
    wire.away.add("off.test")

    for number in range(40):
        simulated, here = second if number % 2 else (simulator, terminal)
        draft = Draft(f"2{number:03}", f"Сотрудник {number}")
        wanted = save(draft, take(simulated, here, draft))
        send_to_terminal(employee_of(queries.get_one(wanted)), 3)
        assert reconcile(wanted, "test").is_green

    assert len(simulator.faces) + len(second[0].faces) == 40


def test_a_picture_by_binary_holds_nothing(put: Put) -> None:
    simulated, terminal = put("binary", PROFILES["K1T341CMFW"])

    states = [take(simulated, terminal, draft).state for draft in (IVAN, OLGA)]

    assert states == [CAPTURED, CAPTURED]
    assert db.session.query(Capture.state).distinct().all() == [(CAPTURED,)]


def test_after_a_take_over_the_saved_picture_holds_no_more(simulator: Simulated, terminal: Terminal) -> None:
    first = take(simulator, terminal, IVAN)
    save(IVAN, first)

    second = take(simulator, terminal, OLGA, take_over=True)
    with pytest.raises(ServiceError, match=r"^terminal_held$") as held:
        start_capture(terminal.id, PYOTR, "Борис")
    wanted = save(OLGA, second)
    reconcile(wanted, "test")

    assert held.value.params["capture_id"] == second.id
    assert take(simulator, terminal, PYOTR).state == CAPTURED
    db.session.refresh(first)
    assert (first.state, first.hold_until) == (USED, None)


def test_a_take_over_of_a_saved_picture_is_in_the_trail(simulator: Simulated, terminal: Terminal) -> None:
    save(IVAN, take(simulator, terminal, IVAN))

    start_capture(terminal.id, OLGA, "Борис", take_over=True)

    (noted,) = entries("capture.taken_over")
    assert (noted.employee, noted.terminal) == (IVAN.number, terminal.name)


def test_a_new_picture_of_the_same_number_ends_the_hold_of_the_old_one(
    simulator: Simulated, terminal: Terminal
) -> None:
    first = take(simulator, terminal, IVAN)
    second = take(simulator, terminal, IVAN)

    db.session.refresh(first)
    assert (first.state, first.hold_until, second.state) == (SUPERSEDED, None, CAPTURED)


# A terminal refuses the next capture for a moment after a success (one recording), and is not asked within it.


def seconds_between(simulated: Simulated) -> float:
    """Let two captures follow each other at once; return the seconds between their requests."""
    posts = [entry for entry in simulated.log if entry.plain_path.endswith("/CaptureFaceData") and entry.logged_in]
    return posts[-1].time - posts[-2].time


def test_captures_in_quick_succession_keep_their_distance(app: Flask, wire: InProcess, terminal: Terminal) -> None:
    app.config["CAPTURE_PAUSE"] = 0.4
    simulated = Simulated(PASSWORD, profile=dataclasses.replace(SEED, refuse_after_success=0.3))
    wire.put(HOST, simulated)

    states = [take(simulated, terminal, IVAN).state for _ in range(3)]

    assert states == [CAPTURED] * 3
    assert seconds_between(simulated) >= 0.3
    assert 400 not in [entry.status for entry in simulated.log]


def test_capture_that_follows_a_face_of_a_cancelled_one_keeps_its_distance(
    app: Flask, wire: InProcess, terminal: Terminal
) -> None:
    app.config["CAPTURE_PAUSE"] = 0.4
    simulated = Simulated(PASSWORD, profile=dataclasses.replace(SEED, refuse_after_success=0.3))
    wire.put(HOST, simulated)
    cancelled = start_capture(terminal.id, IVAN, "Анна")

    def cancel() -> None:
        with app.app_context():
            cancel_capture(cancelled.id)

    simulated.before("CaptureFaceData", cancel)
    simulated.present(FACE, stay=1000)
    run_capture(cancelled.id)

    assert take(simulated, terminal, IVAN).state == CAPTURED
    assert 400 not in [entry.status for entry in simulated.log]


def test_nobody_waits_for_a_success_of_long_ago(app: Flask, simulator: Simulated, terminal: Terminal) -> None:
    app.config["CAPTURE_PAUSE"] = 3600.0
    take(simulator, terminal, IVAN)
    long_ago = db.update(Terminal).values(last_capture_at=database_now(-3600.5))
    db.session.execute(long_ago)
    db.session.commit()

    assert take(simulator, terminal, IVAN).state == CAPTURED


def test_page_says_that_a_saved_picture_is_not_on_the_terminal_yet(
    client: FlaskClient, simulator: Simulated, terminal: Terminal
) -> None:
    save(IVAN, take(simulator, terminal, IVAN))

    page = client.post("/captures", data={"hikvision_id": "100333", "full_name": "Ольга", "terminal_id": terminal.id})

    assert (
        "Сохранённый снимок ещё не записан на терминал: Иван Иванов (Анна). Новый снимок его там заменит." in page.text
    )
    assert "не сохран" not in page.text
