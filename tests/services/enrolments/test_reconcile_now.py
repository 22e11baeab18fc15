"""What a service answers as due is what is left to do, and nothing else."""

import pytest

from hikflask.models import Terminal
from hikflask.models.enrolment import CONFIRMED
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal, set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.enrolments.reconcile_now import due_of

pytestmark = pytest.mark.usefixtures("context", "worker_alive", "simulator")

IVAN = Draft("100222", "Иван Иванов")


def test_each_change_says_what_is_due_by_it(terminal: Terminal) -> None:
    saved = save_employee(IVAN)
    sent = send_to_terminal(saved.row.id, terminal.id)

    assert (saved.due, sent.due) == ((), (sent.row.id,))
    assert save_employee(Draft("100222", "Иван Петров"), employee_id=saved.row.id).due == sent.due
    assert set_active(saved.row.id, active=False).due == sent.due
    assert delete_employee(saved.row.id).due == sent.due


def test_what_the_terminal_confirmed_is_due_no_more(terminal: Terminal) -> None:
    employee = save_employee(IVAN).row
    (enrolment_id,) = send_to_terminal(employee.id, terminal.id).due
    assert due_of("100222") == (enrolment_id,)

    assert reconcile(enrolment_id, "test").person == CONFIRMED

    assert due_of("100222") == ()
