"""What becomes of an enrolment is written for webhooks in the transaction that changes it."""

import pytest

from hikflask.extensions import db
from hikflask.models import Terminal, WebhookDelivery
from hikflask.models.enrolment import CONFIRMED
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.enrolments import manual_removal
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.state import enrolment as state
from hikflask.services.webhooks import registry
from hikflask.simulator import Terminal as Simulated
from tests.support.enrolments import desire_with_face, employee_of, enrol
from tests.support.refusals import refusal

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("context")]
ALL = frozenset({"enrolled", "refused", "removed"})


@pytest.fixture(autouse=True)
def webhooks(context: None) -> None:  # noqa: ARG001
    """Two receivers of everything, so each event is written twice."""
    for _ in range(2):
        registry.add("http://127.0.0.1:9/", ALL)


def written() -> list[tuple[str, str, str]]:
    rows = db.session.execute(db.select(WebhookDelivery).order_by(WebhookDelivery.id)).scalars().all()
    db.session.commit()
    assert [row.webhook_id for row in rows] == [1, 2] * (len(rows) // 2)
    return [(row.event, row.number, row.code) for row in rows[::2]]


def test_each_end_is_told_once_and_what_lies_between_is_not(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    employee_id = employee_of(enrolment)
    reconcile(enrolment.id, "Анна")
    assert written() == [("enrolled", "100222", "")]

    set_active(employee_id, active=False)
    assert len(written()) == 1
    reconcile(enrolment.id, "Анна")

    assert written() == [("enrolled", "100222", ""), ("removed", "100222", "")]


def test_refusal_is_told_with_its_code(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = desire_with_face(simulator, terminal)
    given = {"person": "refused", "refusal": refusal("deviceuserfull")}
    state.apply_to_locked(enrolment, state.GIVEN_UP, **given)
    db.session.commit()

    assert written() == [("refused", "100222", "deviceUserFull")]


def test_statement_of_a_person_is_told_too(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    set_active(employee_of(enrolment), active=False)
    db.session.expire_all()
    manual_removal.end_with_terminal(enrolment, "destroyed")
    db.session.commit()

    assert written()[-1] == ("removed", "100222", "")


def test_nothing_is_told_of_a_change_that_is_rolled_back(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    assert enrolment.person == CONFIRMED
    given = {"person": "refused", "refusal": refusal("x")}
    state.apply_to_locked(enrolment, state.GIVEN_UP, **given)
    db.session.rollback()

    assert written() == [("enrolled", "100222", "")]
