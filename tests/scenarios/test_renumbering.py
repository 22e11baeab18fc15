"""A new number: the old one is removed from the terminal, the new one enrolled and proven."""

import pytest

from hikflask.models import Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, capture_face
from tests.support.due import claim_due
from tests.support.removals import open_removals

pytestmark = pytest.mark.usefixtures("context", "worker_alive")

OLD, NEW = Draft("100222", "Иван Иванов"), Draft("100999", "Иван Иванов")


def save_face(simulator: Simulated, terminal: Terminal, draft: Draft, employee_id: int | None = None) -> int:
    taken = capture_face(simulator, terminal, draft)
    return save_employee(draft, FaceSource(taken.id, taken.requested_by), employee_id=employee_id).row.id


def settle_all() -> None:
    for enrolment_id in claim_due():
        reconcile(enrolment_id, "sweep")


def test_old_number_leaves_and_the_new_one_is_proven(simulator: Simulated, terminal: Terminal) -> None:
    employee_id = save_face(simulator, terminal, OLD)
    settle_all()

    save_face(simulator, terminal, NEW, employee_id)

    assert [one.number for one in open_removals()] == ["100222"]
    settle_all()
    assert set(simulator.people) == {"100999"}
    assert simulator.faces["100999"].jpeg == FACE
    assert queries.of_number("100999")[0].is_confirmed
    assert open_removals() == []


def test_enrolled_number_does_not_change_without_a_new_face(simulator: Simulated, terminal: Terminal) -> None:
    employee_id = save_face(simulator, terminal, OLD)
    settle_all()

    with pytest.raises(ServiceError, match=r"^number_enrolled$"):
        save_employee(NEW, employee_id=employee_id)

    assert queries.of_number("100222")[0].is_confirmed


def test_former_number_that_has_left_goes_with_its_employee(simulator: Simulated, terminal: Terminal) -> None:
    employee_id = save_face(simulator, terminal, OLD)
    settle_all()
    save_face(simulator, terminal, NEW, employee_id)
    settle_all()
    assert queries.of_number(OLD.number)[0].is_confirmed

    left = delete_employee(employee_id).due

    assert queries.of_number(OLD.number) == []
    assert left == (queries.of_number(NEW.number)[0].id,)
    settle_all()
    assert queries.of_number(NEW.number) == []


def test_old_number_is_free_for_others_only_when_it_has_left(simulator: Simulated, terminal: Terminal) -> None:
    employee_id = save_face(simulator, terminal, OLD)
    settle_all()
    save_face(simulator, terminal, NEW, employee_id)

    with pytest.raises(ServiceError, match=r"^number_leaving$"):
        save_employee(Draft("100222", "Ольга Ёлкина"))

    settle_all()
    assert save_employee(Draft("100222", "Ольга Ёлкина")).row.number == "100222"


def test_next_owner_of_a_number_gets_no_face_of_the_former_one(simulator: Simulated, terminal: Terminal) -> None:
    employee_id = save_face(simulator, terminal, OLD)
    settle_all()
    save_face(simulator, terminal, NEW, employee_id)
    settle_all()
    olga = save_employee(Draft("100222", "Ольга Ёлкина")).row

    enrolment = send_to_terminal(olga.id, terminal.id).row

    assert (enrolment.employee_id, enrolment.photo_id) == (olga.id, None)
    settle_all()
    assert simulator.people["100222"]["name"] == "Ольга Ёлкина"
    assert "100222" not in simulator.faces
