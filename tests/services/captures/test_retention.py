"""What becomes of captures that nobody saved, and of the rows of those that ended."""

from dataclasses import replace

import pytest

from hikflask.extensions import db
from hikflask.models import Capture, Employee, Photo, Terminal
from hikflask.models.capture import CAPTURED, FAILED, USED
from hikflask.services.captures import deadline
from hikflask.services.captures.lifecycle import start_capture
from hikflask.services.captures.runner import run_capture
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees import search
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.simulator import Terminal as Simulated
from tests.conftest import NobodyComes
from tests.support.captures import IVAN, capture_face
from tests.support.employees import save_with_face, save_with_file
from tests.support.retention import DAY, age, files, forget, photo, settle
from tests.support.trail import entries

pytestmark = pytest.mark.usefixtures("context", "worker_alive")

NO_DRAFT = ("", "", "", False)


def drafts() -> list[tuple[object, ...]]:
    columns = (Capture.draft_number, Capture.draft_name, Capture.draft_department, Capture.draft_consent)
    found = [tuple(row) for row in db.session.execute(db.select(*columns).order_by(Capture.id))]
    db.session.commit()
    return found


@pytest.mark.both_databases
def test_picture_that_nobody_saved_goes_with_what_was_typed(simulator: Simulated, terminal: Terminal) -> None:
    taken = capture_face(simulator, terminal)
    age(Photo, "created_at", 3601)

    forget()

    ended = deadline.view(taken.id)
    assert (ended.state, ended.reason) == (FAILED, "not_saved")
    assert drafts() == [NO_DRAFT]
    assert files() == []
    assert db.session.query(Photo).count() == 0
    assert [(entry.actor, entry.terminal, entry.employee) for entry in entries("capture.forgotten")] == [
        ("worker", "Вход", "100222")
    ]


def test_picture_is_kept_for_the_whole_time(simulator: Simulated, terminal: Terminal) -> None:
    taken = capture_face(simulator, terminal)
    age(Photo, "created_at", 3540)
    age(Capture, "hold_until", 3420)

    forget()

    assert deadline.view(taken.id).state == CAPTURED
    assert save_employee(IVAN, FaceSource(taken.id, taken.requested_by)).row.picture is not None


@pytest.mark.both_databases
def test_save_after_that_is_refused_with_a_reason_and_saves_nobody(simulator: Simulated, terminal: Terminal) -> None:
    taken = capture_face(simulator, terminal)
    age(Photo, "created_at", 3601)
    forget()

    with pytest.raises(ServiceError, match=r"^not_saved$"):
        save_employee(IVAN, FaceSource(taken.id, taken.requested_by))

    assert db.session.query(Employee).count() == 0
    assert save_with_file().picture is not None


def test_saved_picture_is_not_given_up(simulator: Simulated, terminal: Terminal) -> None:
    save_with_face(simulator, terminal)
    age(Photo, "created_at", 3601)

    forget()

    assert files() == [photo().file]
    assert db.session.execute(db.select(Capture.state)).scalar_one() == USED


def test_draft_of_an_ended_capture_is_kept_no_longer_than_a_picture(
    simulator: Simulated, terminal: Terminal, nobody_comes: NobodyComes
) -> None:
    ticked = replace(IVAN, consent=True)
    with nobody_comes():
        failed = run_capture(start_capture(terminal.id, ticked, "Анна").id)
    assert failed.state == FAILED
    save_with_face(simulator, terminal, ticked)
    age(Capture, "deadline", 3540)
    forget()
    assert drafts() == [("100222", "Иван Иванов", "Охрана", True)] * 2

    age(Capture, "deadline", 3601)
    forget()

    assert drafts() == [NO_DRAFT, NO_DRAFT]
    assert search.by_number("100222") is not None


@pytest.mark.both_databases
def test_row_of_an_ended_capture_goes_in_time_and_the_photo_that_is_used_stays(
    simulator: Simulated, terminal: Terminal
) -> None:
    save_with_face(simulator, terminal)
    settle()
    age(Capture, "deadline", 89 * DAY)
    forget()
    assert db.session.query(Capture).count() == 1

    age(Capture, "deadline", 91 * DAY)
    forget()

    assert db.session.query(Capture).count() == 0
    assert files() == [photo().file]
    enrolment = settle(again=True)
    assert (enrolment.is_confirmed, enrolment.confirmed_photo_id) == (True, photo().id)


def test_capture_whose_face_a_terminal_has_yet_to_confirm_stays(simulator: Simulated, terminal: Terminal) -> None:
    save_with_face(simulator, terminal)
    age(Capture, "deadline", 91 * DAY)

    forget()

    assert settle().is_confirmed
