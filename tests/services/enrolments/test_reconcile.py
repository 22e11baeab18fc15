"""What a terminal must show before a person and a face turn green."""

import pytest

from hikflask.models import Terminal
from hikflask.models.enrolment import CONFIRMED, PENDING, REFUSED
from hikflask.services.core.errors import NumberTakenThere, ServiceError
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE
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
