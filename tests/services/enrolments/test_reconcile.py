"""What a terminal must show before a person and a face turn green."""

from typing import Any

import pytest

from hikflask.models import Terminal
from hikflask.models.enrolment import CONFIRMED, PENDING, REFUSED
from hikflask.services.core.errors import NumberTakenThere, ServiceError
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.terminal.person_store import blank_person
from tests.support.captures import FACE
from tests.support.comparisons import compare
from tests.support.enrolments import desire_with_face, enrol

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


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

    with pytest.raises(ServiceError, match=r"^person_not_verified$"):
        reconcile(enrolment.id, "operator")

    assert (queries.get_one(enrolment.id).person, queries.get_one(enrolment.id).next_attempt_at is not None) == (
        PENDING,
        True,
    )
    assert reconcile(enrolment.id, "operator").is_confirmed


def test_nobody_whom_a_comparison_found_is_replaced_by_a_firmware_that_does_not_refuse_the_number(
    simulator: Simulated, terminal: Terminal
) -> None:
    simulator.store.add("100222", {**blank_person("100222"), "name": "Чужой Человек"})
    compare(terminal)
    add = simulator.store.add

    def replace_or_add(employee_no: str, fields: dict[str, Any]) -> None:
        simulator.people.pop(employee_no, None)
        add(employee_no, fields)

    simulator.store.add = replace_or_add  # type: ignore[method-assign]
    enrolment = desire_with_face(simulator, terminal)

    with pytest.raises(NumberTakenThere):
        reconcile(enrolment.id, "operator")

    assert simulator.people["100222"]["name"] == "Чужой Человек"


def test_number_under_another_name_stops_and_asks(simulator: Simulated, terminal: Terminal) -> None:
    simulator.store.add("100222", {"name": "Чужой Человек"})
    enrolment = desire_with_face(simulator, terminal)

    with pytest.raises(NumberTakenThere) as refused:
        reconcile(enrolment.id, "operator")

    assert refused.value.params["name"] == "Чужой Человек"
    assert (queries.get_one(enrolment.id).person, queries.get_one(enrolment.id).refusal) == (
        REFUSED,
        {"code": NumberTakenThere.code, "params": {"n": "100222", "name": "Чужой Человек"}},
    )
    assert simulator.people["100222"]["name"] == "Чужой Человек"
    assert "100222" not in simulator.faces
