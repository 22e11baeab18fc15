"""A photo whose picture was forgotten: its hash goes on to prove, and what needs the picture is refused once."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import update

from hikflask.extensions import db
from hikflask.isapi.errors import TerminalError
from hikflask.models import Capture, Enrolment, Photo, Terminal
from hikflask.models.enrolment import CONFIRMED, REFUSED
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import CaptureSuperseded
from hikflask.services.employees.lifecycle import send_to_terminal, set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import desired, queries
from hikflask.services.photos import storage
from hikflask.services.state import enrolment as state
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SkippingClock
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import profile_named
from tests.conftest import PASSWORD
from tests.support.captures import FACE, IVAN, OTHER_FACE
from tests.support.employees import by_number, save_with_face, save_with_file
from tests.support.retention import DAY, age, forget, leave, photo, settle
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")

HOST = "picture.test"


@pytest.fixture(params=["K1T341CMFW", "K1T342MX-E1"])
def taker(request: pytest.FixtureRequest, wire: InProcess) -> Simulated:
    """A terminal that takes pictures, with and without a number of faces in its search."""
    simulated = Simulated(PASSWORD, clock=SkippingClock(), profile=profile_named(request.param))
    wire.put(HOST, simulated)
    return simulated


@pytest.fixture
def door(taker: Simulated, context: None) -> Terminal:  # noqa: ARG001 - both must be there
    """The row of that terminal."""
    return checks.check(registry.add(Access("Склад", f"http://{HOST}", "admin", PASSWORD)).id, "test")


@pytest.fixture
def enrolled(app: Flask, taker: Simulated, door: Terminal) -> Enrolment:
    """Somebody who is confirmed there, and whose photo is forgotten."""
    app.config["PHOTO_RETENTION"] = "never"
    save_with_face(taker, door)
    settle()
    forget()
    assert photo().forgotten_at is not None
    return now()


def now() -> Enrolment:
    return queries.get_one(queries.of_number("100222")[0].id)


def facts() -> tuple[str, str, str, bool]:
    """Person, face, refusal, and whether it is tried again by itself."""
    row = now()
    return row.person, row.face, row.refusal_code, row.next_attempt_at is not None


def forgetting(app: Flask) -> Callable[[], None]:
    """What another worker does in the middle of a conversation."""

    def forget_now() -> None:
        with app.app_context():
            age(Photo, "forgotten_at", 0)
            storage.unlink(photo().file)

    return forget_now


def hide_pictures(taker: Simulated) -> None:
    taker.store.face_at = lambda index: None  # type: ignore[method-assign]  # noqa: ARG005


@pytest.mark.both_databases
@pytest.mark.usefixtures("enrolled")
def test_confirmed_face_is_proven_again_by_its_hash(taker: Simulated) -> None:
    before = now().confirmed_at
    taker.log.clear()

    assert settle(again=True).is_confirmed

    proven = now().confirmed_at
    assert before is not None
    assert proven is not None
    assert proven > before
    assert [entry for entry in taker.log if "FDSetUp" in entry.plain_path] == []
    assert taker.faces["100222"].jpeg == FACE


@pytest.mark.usefixtures("enrolled")
def test_confirmed_face_stays_so_where_the_terminal_gives_no_picture(taker: Simulated) -> None:
    before = now().confirmed_at
    hide_pictures(taker)

    assert settle(again=True).is_confirmed

    assert now().confirmed_at == before


@pytest.mark.usefixtures("enrolled")
def test_another_face_there_is_not_green_and_is_not_tried_for_ever(taker: Simulated) -> None:
    taker.store.bind("100222", OTHER_FACE)

    settle(again=True)

    assert facts() == (CONFIRMED, REFUSED, "photo_forgotten", False)
    assert now().confirmed_photo_id is None
    assert settle(again=True).face == REFUSED


@pytest.mark.usefixtures("enrolled")
def test_face_that_was_taken_off_there_is_refused_with_a_reason(taker: Simulated) -> None:
    taker.store.unbind(["100222"])

    settle(again=True)

    assert facts() == (CONFIRMED, REFUSED, "photo_forgotten", False)


def test_face_of_a_terminal_that_was_moved_is_proven_by_its_hash(
    enrolled: Enrolment, taker: Simulated, wire: InProcess
) -> None:
    wire.put("moved.test", taker)
    unproven = update(Enrolment).values(person="pending", **state.FACE_LOST.writes)
    db.session.execute(unproven, execution_options={"synchronize_session": False})
    db.session.commit()
    registry.change(enrolled.terminal_id, Access("Склад", "http://moved.test", "admin", PASSWORD), "test")

    assert settle().is_confirmed


@pytest.mark.both_databases
def test_who_tries_again_when_a_refused_photo_is_forgotten_is_told_so(
    app: Flask, taker: Simulated, door: Terminal
) -> None:
    app.config["PHOTO_RETENTION"] = "30"
    taker.faults.add("full", argument="faces")
    save_with_face(taker, door)
    with pytest.raises(TerminalError, match="deviceFaceFull"):
        settle()
    age(Photo, "created_at", 31 * DAY)
    forget()
    assert photo().file_deleted_at is not None
    taker.faults.clear()

    desired.retry(now().id)
    settle()

    assert facts() == (CONFIRMED, REFUSED, "photo_forgotten", False)


@pytest.mark.usefixtures("enrolled", "taker")
def test_new_name_goes_there_without_the_picture(taker: Simulated) -> None:
    employee = by_number("100222")

    save_employee(Draft("100222", "Иван Петров"), employee_id=employee.id)

    assert settle().is_confirmed
    assert taker.people["100222"]["name"] == "Иван Петров"


def test_further_terminal_gets_the_person_and_says_why_no_face(
    app: Flask, simulator: Simulated, terminal: Terminal, taker: Simulated, door: Terminal
) -> None:
    app.config["PHOTO_RETENTION"] = "never"
    employee = save_with_face(simulator, terminal)
    settle()
    forget()

    send_to_terminal(employee.id, door.id)
    settle(1)

    row = queries.of_number("100222")[1]
    assert (row.person, row.face, row.refusal_code, row.next_attempt_at) == (
        CONFIRMED,
        REFUSED,
        "photo_forgotten",
        None,
    )
    assert "100222" in taker.people
    assert "100222" not in taker.faces


@pytest.mark.both_databases
def test_who_comes_back_after_the_photo_was_forgotten_is_captured_anew(
    enrolled: Enrolment, taker: Simulated, door: Terminal
) -> None:
    employee = by_number("100222")
    leave(employee)
    settle()
    set_active(employee.id, active=True)

    settle()

    assert facts() == (CONFIRMED, REFUSED, "photo_forgotten", False)
    save_with_face(taker, door, face=OTHER_FACE)
    assert settle().is_confirmed
    assert taker.faces["100222"].jpeg == OTHER_FACE
    assert enrolled.id == now().id


def test_by_url_the_hash_is_enough_while_the_terminal_has_the_file(simulator: Simulated, terminal: Terminal) -> None:
    employee = save_with_face(simulator, terminal)
    settle()
    leave(employee)
    settle()
    forget()
    assert photo().forgotten_at is not None

    set_active(employee.id, active=True)

    assert settle().is_confirmed
    assert simulator.faces["100222"].jpeg == FACE


def test_face_by_url_whose_capture_is_long_gone_is_left_where_no_picture_is_given(
    simulator: Simulated, terminal: Terminal
) -> None:
    save_with_face(simulator, terminal)
    settle()
    age(Capture, "deadline", 91 * DAY)
    forget()
    hide_pictures(simulator)

    assert settle(again=True).is_confirmed


@pytest.mark.both_databases
def test_picture_that_was_read_before_it_was_forgotten_is_still_bound(
    app: Flask, taker: Simulated, door: Terminal
) -> None:
    save_with_face(taker, door)
    taker.before("FDSetUp", forgetting(app))

    assert settle().is_confirmed

    assert taker.faces["100222"].jpeg == FACE
    assert storage.path_of(photo()) is None


@pytest.mark.both_databases
def test_photo_that_is_forgotten_while_the_person_is_sent_is_refused_and_not_called_lost(
    app: Flask, taker: Simulated, door: Terminal
) -> None:
    save_with_file(terminal_id=door.id)
    taker.before("UserInfo/Record", forgetting(app))

    settle()

    assert facts() == (CONFIRMED, REFUSED, "photo_forgotten", False)


def test_lost_file_is_no_forgotten_photo(taker: Simulated, door: Terminal) -> None:
    save_with_file(terminal_id=door.id)
    storage.unlink(photo().file)

    with pytest.raises(CaptureSuperseded):
        settle()

    assert facts() == (CONFIRMED, REFUSED, "file_gone", False)
    assert "100222" in taker.people


def test_new_number_of_somebody_whose_photo_is_forgotten_is_saved() -> None:
    employee = save_with_file()
    leave(employee)
    forget()
    assert photo().forgotten_at is not None

    saved = save_employee(Draft("100333", IVAN.name), employee_id=employee.id).row

    assert (saved.number, saved.picture) == ("100333", None)


@pytest.mark.both_databases
def test_number_that_changes_in_the_moment_its_photo_is_forgotten_is_saved() -> None:
    employee = save_with_file()
    name = photo().file
    db.session.execute(
        update(Photo).values(forgotten_at=db.func.now()), execution_options={"synchronize_session": False}
    )
    db.session.commit()
    storage.unlink(name)

    saved = save_employee(Draft("100333", IVAN.name), employee_id=employee.id).row

    assert (saved.number, photo().file) == ("100333", name)
