"""Who leaves: wanted nowhere, forgotten here with all photos, and proven again on the way back."""

import io

import pytest

from hikflask.extensions import db
from hikflask.models import Capture, Employee, Enrolment, Photo, Terminal
from hikflask.models.enrolment import PENDING, PRESENT
from hikflask.services import captures, employees, enrolments, photos, settling
from hikflask.services.captures import Draft
from hikflask.services.employees import FaceSource
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.faces import NAMES, draw

pytestmark = pytest.mark.usefixtures("context", "worker_alive")

IVAN = Draft("100222", "Иван Иванов", "Охрана")
FACE, OTHER_FACE = (draw(name) for name in NAMES[:2])


def enrol(simulator: Simulated, terminal: Terminal, face: bytes = FACE, employee_id: int | None = None) -> Enrolment:
    simulator.present_alone(face)
    taken = captures.run(captures.start(terminal.id, IVAN, "Анна").id)
    employees.save(IVAN, FaceSource(capture_id=taken.id), employee_id=employee_id)
    return settling.settle(enrolments.of_number("100222")[0].id, "Анна")


def of_enrolment(enrolment: Enrolment) -> int:
    assert enrolment.employee_id is not None
    return enrolment.employee_id


def test_deactivated_employee_is_wanted_nowhere(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)

    left = employees.set_active(of_enrolment(enrolment), active=False)

    assert left.is_active is False
    assert employees.is_synced(left) is False
    assert [one.number for one in enrolments.open_removals()] == ["100222"]


def test_second_deactivation_changes_nothing(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    employees.set_active(of_enrolment(enrolment), active=False)
    settling.settle(enrolment.id, "Анна")

    employees.set_active(of_enrolment(enrolment), active=False)

    assert enrolments.open_removals() == []
    assert enrolments.row(enrolment.id).is_confirmed


def test_reactivated_employee_is_wanted_again_and_nothing_is_taken_as_proven(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = enrol(simulator, terminal)
    employees.set_active(of_enrolment(enrolment), active=False)
    settling.settle(enrolment.id, "Анна")

    employees.set_active(of_enrolment(enrolment), active=True)

    again = enrolments.row(enrolment.id)
    assert (again.wanted, again.person, again.face, again.confirmed_photo_id) == (PRESENT, PENDING, PENDING, None)
    assert settling.settle(enrolment.id, "Анна").is_confirmed
    assert simulator.faces["100222"].jpeg == FACE


def test_reactivation_before_the_removal_was_done_is_proven_too(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    employees.set_active(of_enrolment(enrolment), active=False)

    employees.set_active(of_enrolment(enrolment), active=True)

    assert enrolments.row(enrolment.id).face == PENDING
    assert settling.settle(enrolment.id, "Анна").is_confirmed
    assert simulator.people["100222"]["name"] == "Иван Иванов"


def test_deleted_employee_takes_all_photos_along(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    employee_id = of_enrolment(enrolment)
    employees.save(IVAN, FaceSource(upload=io.BytesIO(OTHER_FACE)), employee_id=employee_id)
    enrol(simulator, terminal, OTHER_FACE, employee_id)
    assert len(list(photos.folder().iterdir())) == 3

    left = employees.delete(employee_id)

    assert list(photos.folder().iterdir()) == []
    assert [db.session.query(kind).count() for kind in (Employee, Photo, Capture)] == [0, 0, 0]
    assert left == [enrolment.id]


def test_deleted_employees_removal_is_done_without_the_row(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)

    employees.delete(of_enrolment(enrolment))

    settling.settle(enrolment.id, "Анна")
    assert simulator.people == {}
    assert db.session.query(Enrolment).count() == 0


def test_employee_who_had_left_already_is_deleted_without_a_removal(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    employees.set_active(of_enrolment(enrolment), active=False)
    settling.settle(enrolment.id, "Анна")

    assert employees.delete(of_enrolment(enrolment)) == []

    assert db.session.query(Enrolment).count() == 0


def test_photos_of_others_stay(simulator: Simulated, terminal: Terminal) -> None:
    other = employees.save(Draft("100333", "Ольга"), FaceSource(upload=io.BytesIO(OTHER_FACE)))
    enrolment = enrol(simulator, terminal)

    employees.delete(of_enrolment(enrolment))

    assert other.photo is not None
    assert [path.name for path in photos.folder().iterdir()] == [other.photo.file]
