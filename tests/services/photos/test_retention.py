"""How long photos are kept, by the setting and by what still needs them."""

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Capture, Employee, Photo, Terminal
from hikflask.models.capture import SUPERSEDED
from hikflask.models.enrolment import REFUSED
from hikflask.services.captures import deadline
from hikflask.services.employees.lifecycle import send_to_terminal, set_active
from hikflask.services.enrolments import desired, queries
from hikflask.services.photos import storage
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SkippingClock
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import profile_named
from tests.conftest import PASSWORD
from tests.support.captures import FACE, capture_face
from tests.support.employees import save_with_face, save_with_file
from tests.support.retention import DAY, age, files, forget, leave, photo, reasons, settle
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


@pytest.fixture
def by_picture(wire: InProcess, terminal: Terminal) -> Terminal:  # noqa: ARG001 - it is the second one
    """A second terminal, that takes pictures."""
    wire.put("second.test", Simulated(PASSWORD, clock=SkippingClock(), profile=profile_named("K1T341CMFW")))
    row = registry.add(Access("Склад", "http://second.test", "admin", PASSWORD))
    return checks.check(row.id, "test")


def keep(app: Flask, policy: str) -> None:
    app.config["PHOTO_RETENTION"] = policy


def test_photo_of_somebody_employed_is_kept(simulator: Simulated, terminal: Terminal) -> None:
    save_with_face(simulator, terminal)
    settle()
    age(Photo, "created_at", 1000 * DAY)

    forget()

    assert photo().forgotten_at is None
    assert files() == [photo().file]


@pytest.mark.both_databases
def test_photo_of_somebody_who_left_goes_a_day_after_the_removal_was_confirmed(
    simulator: Simulated, terminal: Terminal
) -> None:
    employee = save_with_face(simulator, terminal)
    settle()
    leave(employee)
    settle()

    forget()

    assert photo().forgotten_at is not None
    assert photo().file_deleted_at is not None
    assert photo().sha256 == storage.sha256(FACE)
    assert files() == []
    assert reasons() == ["left"]


@pytest.mark.parametrize("ago", [0.0, DAY - 60])
def test_photo_is_kept_for_a_day_after_somebody_left(simulator: Simulated, terminal: Terminal, ago: float) -> None:
    employee = save_with_face(simulator, terminal)
    settle()
    leave(employee, ago)
    settle()

    forget()

    assert files() == [photo().file]


def test_photo_is_kept_while_a_terminal_has_not_confirmed_the_removal(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    employee = save_with_face(simulator, terminal)
    settle()
    wire.away.add("terminal.test")
    leave(employee)

    forget()

    assert files() == [photo().file]


@pytest.mark.both_databases
def test_time_of_leaving_is_that_of_the_first_deactivation_and_ends_with_the_return() -> None:
    employee_id = save_with_file().id

    def left_at() -> object:
        found = db.session.execute(db.select(Employee.left_at)).scalar_one()
        db.session.commit()
        return found

    assert left_at() is None
    set_active(employee_id, active=False)
    age(Employee, "left_at", DAY)
    first = left_at()
    set_active(employee_id, active=False)
    assert left_at() == first
    set_active(employee_id, active=True)
    assert left_at() is None


def test_never_keeps_a_photo_until_the_terminal_confirmed_it(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    keep(app, "never")
    save_with_face(simulator, terminal)
    forget()
    assert photo().forgotten_at is None

    settle()
    forget()

    assert photo().forgotten_at is not None
    assert files() == []
    assert reasons() == ["never"]
    assert queries.of_number("100222")[0].is_green


def test_never_keeps_a_photo_that_no_terminal_is_asked_to_take_yet(app: Flask) -> None:
    keep(app, "never")
    save_with_file()

    forget()

    assert files() == [photo().file]


@pytest.mark.both_databases
def test_never_keeps_a_photo_while_one_of_two_terminals_waits_for_it(
    app: Flask, simulator: Simulated, terminal: Terminal, by_picture: Terminal, wire: InProcess
) -> None:
    keep(app, "never")
    employee = save_with_face(simulator, terminal)
    settle()
    wire.away.add("second.test")
    send_to_terminal(employee.id, by_picture.id)

    forget()
    assert files() == [photo().file]

    wire.away.clear()
    settle(1)
    forget()
    assert files() == []


def test_never_forgets_the_photo_of_a_leaver_that_no_terminal_took(app: Flask) -> None:
    keep(app, "never")
    leave(save_with_file())

    forget()

    assert files() == []


@pytest.mark.parametrize(("days_old", "kept"), [(29.9, True), (30.1, False)])
def test_days_count_from_the_photo(
    app: Flask, simulator: Simulated, terminal: Terminal, days_old: float, kept: bool
) -> None:
    keep(app, "30")
    save_with_face(simulator, terminal)
    settle()
    age(Photo, "created_at", days_old * DAY)

    forget()

    assert bool(files()) is kept


@pytest.mark.both_databases
def test_days_do_not_end_while_a_terminal_waits_for_the_photo(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    keep(app, "30")
    save_with_face(simulator, terminal)
    age(Photo, "created_at", 31 * DAY)

    forget()
    assert files() == [photo().file]

    settle()
    forget()
    assert files() == []


def test_days_end_though_a_terminal_refused_the_photo_for_good(app: Flask, terminal: Terminal) -> None:
    keep(app, "30")
    save_with_file(terminal_id=terminal.id)
    refused = settle()
    assert (refused.face, refused.refusal_code, refused.next_attempt_at) == (REFUSED, "files_not_taken", None)
    age(Photo, "created_at", 29.9 * DAY)
    forget()
    assert files() == [photo().file]

    age(Photo, "created_at", 30.1 * DAY)
    forget()

    assert files() == []


def test_never_keeps_a_refused_photo_for_a_day(app: Flask, terminal: Terminal) -> None:
    keep(app, "never")
    save_with_file(terminal_id=terminal.id)
    settle()
    age(Photo, "created_at", DAY - 60)
    forget()
    assert files() == [photo().file]

    age(Photo, "created_at", DAY + 60)
    forget()

    assert files() == []


@pytest.mark.both_databases
@pytest.mark.parametrize("policy", ["never", "30"])
def test_photo_is_kept_while_a_refused_one_was_wished_again(app: Flask, terminal: Terminal, policy: str) -> None:
    keep(app, policy)
    save_with_file(terminal_id=terminal.id)
    desired.retry(settle().id)
    age(Photo, "created_at", 31 * DAY)

    forget()

    assert files() == [photo().file]


@pytest.mark.both_databases
@pytest.mark.parametrize("policy", ["employed", "never", "30"])
def test_earlier_photo_that_nothing_points_at_goes_under_every_policy(app: Flask, policy: str) -> None:
    keep(app, policy)
    save_with_file()
    first = photo().file
    save_with_file()

    forget()

    assert photo().file != first
    assert files() == [photo().file]
    assert reasons() == ["superseded"]


def test_earlier_photo_that_a_terminal_still_shows_stays(simulator: Simulated, terminal: Terminal) -> None:
    save_with_face(simulator, terminal)
    settle()
    captured = photo().file
    save_with_file()

    forget()

    assert captured in files()
    assert len(files()) == 2


@pytest.mark.both_databases
def test_row_of_a_superseded_picture_goes_with_its_capture(simulator: Simulated, terminal: Terminal) -> None:
    first = capture_face(simulator, terminal)
    capture_face(simulator, terminal)
    age(Capture, "deadline", 60)

    forget()

    superseded = deadline.view(first.id)
    assert superseded.state == SUPERSEDED
    assert superseded.capture.draft_name == "Иван Иванов"
    assert superseded.capture.photo is not None
    assert superseded.capture.photo.forgotten_at is not None
    assert len(files()) == 1
