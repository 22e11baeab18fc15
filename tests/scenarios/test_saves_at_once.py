"""A save, and somebody else who acts for the same employee in the middle of it."""

import pytest

from hikflask.extensions import db
from hikflask.models import Heartbeat, Terminal
from hikflask.models.enrolment import ABSENT
from hikflask.services.captures.start import start_capture
from hikflask.services.employees import save
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.simulator import Terminal as Simulated
from tests.support.between import Between
from tests.support.captures import IVAN
from tests.support.enrolments import employee_of, enrol
from tests.support.groups import make_group

pytestmark = [pytest.mark.usefixtures("worker_alive"), pytest.mark.both_databases]


@pytest.mark.usefixtures("context")
def test_who_is_deactivated_while_a_save_finds_that_no_worker_captures_has_left(
    simulator: Simulated, terminal: Terminal, between: Between
) -> None:
    make_group("Вход", [terminal.id], IVAN.department)
    employee_id = employee_of(enrol(simulator, terminal))
    capture = start_capture(terminal.id, IVAN, "Анна", employee_id=employee_id)
    db.session.execute(db.delete(Heartbeat))
    db.session.commit()
    leaving = between(save.deadline, "view", lambda: set_active(employee_id, active=False))

    save_employee(IVAN, FaceSource(capture.id, "Анна"), employee_id=employee_id)

    leaving.finish()
    assert leaving.blocked
    (enrolment,) = queries.of_number(IVAN.number)
    assert (enrolment.desired, enrolment.may_open_doors) == (ABSENT, True)
    reconcile(enrolment.id, "worker")
    assert simulator.people == {}
