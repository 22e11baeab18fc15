"""What a terminal must show before a person and a face turn green, and before a removal is over."""

import pytest

from hikflask.extensions import db
from hikflask.isapi.errors import Unreachable
from hikflask.models import Enrolment, Terminal
from hikflask.models.enrolment import CONFIRMED, PENDING, REFUSED
from hikflask.services.core.errors import (
    NumberTakenThere,
    PersonNotVerified,
    RemovalNotVerified,
)
from hikflask.services.employees.lifecycle import delete_employee, set_active
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE
from tests.support.enrolments import desire_with_face, enrol
from tests.support.wire import InProcess

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


def test_face_that_was_seen_is_bound_to_the_number_it_was_saved_to(simulator: Simulated, terminal: Terminal) -> None:
    settled = enrol(simulator, terminal)

    assert (settled.person, settled.face, settled.is_confirmed) == (CONFIRMED, CONFIRMED, True)
    assert simulator.people["100222"]["name"] == "Иван Иванов"
    assert simulator.faces["100222"].jpeg == FACE


def test_enrolment_over_a_warm_connection_is_five_requests(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = desire_with_face(simulator, terminal)
    simulator.log.clear()

    reconcile(enrolment.id, "operator")

    assert [f"{entry.method} {entry.plain_path.rpartition('/')[2].partition('@')[0]}" for entry in simulator.log] == [
        "POST Record",
        "GET web_face_enrollpic.jpg",
        "PUT FDSetUp",
        "GET web_face_enrollpic.jpg",
        "POST Search",
    ]


def test_number_that_is_taken_there_by_nobody_is_not_verified_and_comes_again(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = desire_with_face(simulator, terminal)
    simulator.faults.add("refuse", "employeeNoAlreadyExist", path="UserInfo/Record", times=1)

    with pytest.raises(PersonNotVerified):
        reconcile(enrolment.id, "operator")

    assert (queries.row(enrolment.id).person, queries.row(enrolment.id).next_attempt_at is not None) == (PENDING, True)
    assert reconcile(enrolment.id, "operator").is_confirmed


def test_number_under_another_name_stops_and_asks(simulator: Simulated, terminal: Terminal) -> None:
    simulator.store.add("100222", {"name": "Чужой Человек"})
    enrolment = desire_with_face(simulator, terminal)

    with pytest.raises(NumberTakenThere) as refused:
        reconcile(enrolment.id, "operator")

    assert refused.value.params["name"] == "Чужой Человек"
    assert (queries.row(enrolment.id).person, queries.row(enrolment.id).refusal_text) == (REFUSED, "Чужой Человек")
    assert simulator.people["100222"]["name"] == "Чужой Человек"
    assert "100222" not in simulator.faces


def test_removal_is_open_until_the_terminal_says_nobody_is_there(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    enrolment = enrol(simulator, terminal)
    wire.away.add("terminal.test")
    set_active(enrolment.employee_id, active=False)

    with pytest.raises(Unreachable):
        reconcile(enrolment.id, "operator")

    assert [open_one.number for open_one in queries.open_removals()] == ["100222"]
    wire.away.clear()
    assert reconcile(enrolment.id, "operator").is_confirmed
    assert queries.open_removals() == []
    assert "100222" not in simulator.people
    assert "100222" not in simulator.faces


def test_removal_without_effect_stays_open(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    set_active(enrolment.employee_id, active=False)
    simulator.faults.add("ok-without-effect", path="UserInfoDetail/Delete", times=1)

    with pytest.raises(RemovalNotVerified):
        reconcile(enrolment.id, "operator")

    assert queries.row(enrolment.id).may_open_doors
    assert reconcile(enrolment.id, "operator").is_confirmed


def test_deleted_employee_outlives_in_the_removal(simulator: Simulated, terminal: Terminal, wire: InProcess) -> None:
    enrolment = enrol(simulator, terminal)
    wire.away.add("terminal.test")
    delete_employee(enrolment.employee_id)

    with pytest.raises(Unreachable):
        reconcile(enrolment.id, "operator")

    left = queries.open_removals()
    assert [(one.number, one.written_name, one.employee_id) for one in left] == [("100222", "Иван Иванов", None)]
    wire.away.clear()
    reconcile(enrolment.id, "operator")
    assert queries.open_removals() == []
    assert db.session.query(Enrolment).count() == 0
    assert "100222" not in simulator.people
