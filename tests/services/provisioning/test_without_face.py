"""Who must come to the camera of a terminal, by name; whoever gets a face by itself is not among them."""

import pytest

from hikflask.extensions import db
from hikflask.isapi.errors import Full
from hikflask.models import Employee, Enrolment, Terminal
from hikflask.models.enrolment import REFUSED
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.provisioning import without_face
from hikflask.simulator import Terminal as Simulated
from tests.support.between import Between
from tests.support.captures import IVAN
from tests.support.employees import save_with_file
from tests.support.enrolments import desire_with_face, enrol
from tests.support.fleet import add_terminal, device
from tests.support.refusals import refusal
from tests.support.wire import InProcess

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


def person(number: str, name: str, terminal: Terminal) -> Employee:
    """Somebody who is on the terminal without a face."""
    employee = save_employee(Draft(number, name)).row
    reconcile(send_to_terminal(employee.id, terminal.id).row.id, "test")
    return employee


def numbers(terminal: Terminal, words: str = "", after: int | None = None) -> list[str]:
    return [one.number for one in without_face.page(terminal, words, after)]


def test_who_has_no_face_comes_by_name_and_page_after_page(terminal: Terminal) -> None:
    for number, name in (("3", "Яна"), ("1", "ёлкина анна"), ("2", "Ежов Борис")):
        person(number, name, terminal)

    assert numbers(terminal) == ["2", "1", "3"]
    (first,) = without_face.page(terminal, limit=1)
    assert numbers(terminal, after=first.employee_id) == ["1", "3"]
    assert numbers(terminal, "ЕЛК") == ["1"]
    second = without_face.next_after(terminal, first.employee_id or 0)
    assert second is not None
    assert second.number == "1"
    assert without_face.progress(terminal, None) == without_face.Progress(left=3, of=3)
    assert without_face.progress(terminal, 40).done == 37


def test_whoever_has_the_searched_number_comes_first_and_once(terminal: Terminal) -> None:
    for number, name in (("2109", "Яна"), ("21090", "Анна"), ("52109", "Мария"), ("7", "Ольга")):
        person(number, name, terminal)

    first, second = without_face.page(terminal, "2109", limit=2)

    assert (first.number, second.number) == ("2109", "21090")
    assert numbers(terminal, "2109", second.employee_id) == ["52109"]


def test_somebody_who_is_deleted_meanwhile_is_on_the_page_still(terminal: Terminal, between: Between) -> None:
    employee_id = person("1", "Анна", terminal).id
    db.session.expunge_all()
    other = between(without_face, "page", lambda: delete_employee(employee_id))

    (row,) = without_face.page(terminal)

    assert row.employee is not None
    assert row.employee.name == "Анна"
    other.finish()
    assert other.error is None
    assert numbers(terminal) == []


def test_who_has_a_face_or_gets_it_now_is_not_among_them(simulator: Simulated, terminal: Terminal) -> None:
    enrol(simulator, terminal)
    assert (without_face.count(terminal), without_face.count_by_itself(terminal)) == (0, 0)

    other = desire_with_face(simulator, terminal, Draft("100333", "Ольга"))

    assert (without_face.count(terminal), without_face.count_by_itself(terminal)) == (0, 1)
    reconcile(other.id, "test")
    assert without_face.count_by_itself(terminal) == 0


def test_whose_face_found_no_room_needs_no_other_capture(simulator: Simulated, terminal: Terminal) -> None:
    waiting = desire_with_face(simulator, terminal)
    simulator.faults.add("refuse", "faceNumFull", path="FDSetUp")
    with pytest.raises(Full):
        reconcile(waiting.id, "test")

    assert queries.get_one(waiting.id).face == REFUSED
    assert (without_face.count(terminal), without_face.count_by_itself(terminal)) == (0, 0)


def test_photo_of_a_file_brings_no_face_to_a_terminal_that_takes_none(terminal: Terminal, wire: InProcess) -> None:
    takes_files = add_terminal(wire, "second.test", "Склад", device())
    employee = save_with_file(IVAN, terminal.id)
    send_to_terminal(employee.id, takes_files.id)

    assert numbers(terminal) == ["100222"]
    assert (numbers(takes_files), without_face.count_by_itself(takes_files)) == ([], 1)


def test_refused_face_must_come_to_the_camera(wire: InProcess) -> None:
    takes_files = add_terminal(wire, "second.test", "Склад", device())
    save_with_file(IVAN, takes_files.id)
    refused = {"face": "refused", "person": "confirmed", "next_attempt_at": None, "refusal": refusal("lowscore")}
    db.session.execute(db.update(Enrolment).values(**refused))
    db.session.commit()

    assert numbers(takes_files) == ["100222"]
    assert queries.of_number("100222")[0].refusal_code == "lowscore"
