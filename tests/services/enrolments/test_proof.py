"""Nothing turns green but by the terminal's own answer that shows the person, and the face that was sent."""

import pytest

from hikflask.models import Terminal
from hikflask.models.enrolment import CONFIRMED, PENDING
from hikflask.services.core.errors import ServiceError
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import IVAN, THIRD_FACE
from tests.support.enrolments import desire_with_face, enrol

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


def test_ok_without_effect_is_not_green(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = desire_with_face(simulator, terminal)
    simulator.faults.add("ok-without-effect", path="FDSetUp", times=1)

    with pytest.raises(ServiceError, match=r"^face_not_verified$"):
        reconcile(enrolment.id, "operator")

    assert (queries.get_one(enrolment.id).person, queries.get_one(enrolment.id).face) == (CONFIRMED, PENDING)
    assert reconcile(enrolment.id, "operator").is_confirmed


def test_new_face_that_was_not_put_does_not_leave_the_old_one_green(simulator: Simulated, terminal: Terminal) -> None:
    enrol(simulator, terminal)
    again = desire_with_face(simulator, terminal, IVAN, THIRD_FACE)
    simulator.faults.add("ok-without-effect", path="FDSetUp", times=1)

    with pytest.raises(ServiceError, match=r"^face_not_verified$"):
        reconcile(again.id, "operator")

    assert queries.get_one(again.id).face == PENDING
    assert reconcile(again.id, "operator").is_confirmed
    assert simulator.faces["100222"].jpeg == THIRD_FACE
