"""What is desired anew reaches the terminal, and takes off nobody unless it is asked to."""

import pytest

from hikflask.models import Terminal
from hikflask.models.enrolment import PENDING
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import NumberTakenThere
from hikflask.services.employees.lifecycle import send_to_terminal
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import desired, queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SkippingClock
from hikflask.simulator import Terminal as Simulated
from tests.conftest import PASSWORD
from tests.support.captures import FACE, OTHER_FACE
from tests.support.employees import save_with_face
from tests.support.enrolments import desire_with_face, employee_of, enrol
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


def test_number_is_replaced_only_when_asked_to(simulator: Simulated, terminal: Terminal) -> None:
    simulator.store.add("100222", {"name": "Чужой Человек"})
    enrolment = desire_with_face(simulator, terminal)
    with pytest.raises(NumberTakenThere):
        reconcile(enrolment.id, "operator")

    desired.desire_overwrite(enrolment.id, queries.get_one(enrolment.id).generation)

    assert reconcile(enrolment.id, "operator").is_confirmed
    assert simulator.people["100222"]["name"] == "Иван Иванов"


@pytest.mark.both_databases
def test_rename_reaches_the_terminal_and_keeps_the_face(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)

    save_employee(Draft("100222", "Иван Петров"), employee_id=enrolment.employee_id)

    assert queries.get_one(enrolment.id).person == PENDING
    assert reconcile(enrolment.id, "operator").is_confirmed
    assert simulator.people["100222"]["name"] == "Иван Петров"
    assert simulator.faces["100222"].jpeg == FACE


def test_face_from_another_terminal_does_not_replace_the_confirmed_one_where_it_cannot_be_sent(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    enrolment = enrol(simulator, terminal)
    gate = Simulated(PASSWORD, clock=SkippingClock())
    wire.put("gate.test", gate)
    second = checks.check(registry.add(Access("Ворота", "http://gate.test", "admin", PASSWORD)).id, "test")
    save_with_face(gate, second, face=OTHER_FACE)

    send_to_terminal(employee_of(enrolment), terminal.id)

    assert reconcile(enrolment.id, "operator").is_confirmed
    assert simulator.faces["100222"].jpeg == FACE
