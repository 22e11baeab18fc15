"""Everybody at a terminal who needs a person for the same reason is tried again at once."""

import pytest

from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.lifecycle import send_to_terminal
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import causes
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import IVAN, OLGA
from tests.support.enrolments import desire_with_face, let_fail

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


def test_everybody_of_a_cause_at_a_terminal_is_tried_again_and_nobody_else(
    simulator: Simulated, terminal: Terminal
) -> None:
    simulator.faults.add("full", "users")
    for draft in (IVAN, OLGA):
        let_fail(desire_with_face(simulator, terminal, draft))
    simulator.faults.clear()
    reconcile(send_to_terminal(save_employee(Draft("9", "Пётр Ли")).row.id, terminal.id).row.id, "test")

    assert causes.retry_all("full", terminal.id) == 2

    due = db.session.execute(db.select(Enrolment).where(Enrolment.next_attempt_at.is_not(None))).scalars().all()
    assert [(one.number, one.in_bulk) for one in due] == [("100222", True), ("100333", True)]
    for one in due:
        reconcile(one.id, "test")
    assert causes.everybody("full", terminal.id, 9) == []
    assert [one.number for one in causes.everybody("photo", terminal.id, 9)] == ["9"]
