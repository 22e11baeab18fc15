"""An attempt writes only while the same is desired as when it began."""

import pytest
from flask import Flask

from hikflask.models import Enrolment, Terminal
from hikflask.services.core.errors import GenerationChanged, ServiceError
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.simulator import Terminal as Simulated
from tests.support.enrolments import desire_with_face
from tests.support.retention import age

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


def test_wish_changed_meanwhile_is_not_confirmed_by_the_old_conversation(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = desire_with_face(simulator, terminal)
    employee_id = enrolment.employee_id
    simulator.after("FDSetUp", lambda: _leave(app, employee_id))

    with pytest.raises(GenerationChanged):
        reconcile(enrolment.id, "operator")

    assert queries.get_one(enrolment.id).is_leaving
    # What the old conversation sent may have no answer yet.
    with pytest.raises(ServiceError, match=r"^removal_asked_again$"):
        reconcile(enrolment.id, "operator")
    age(Enrolment, "may_arrive_until", 1.0)
    assert reconcile(enrolment.id, "operator").is_confirmed
    assert "100222" not in simulator.people


def _leave(app: Flask, employee_id: int | None) -> None:
    with app.app_context():
        set_active(employee_id or 0, active=False)
