"""An employee on a terminal."""

from hikflask.models import Employee, Enrolment, Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, IVAN
from tests.support.employees import save_with_face


def enrol(simulator: Simulated, terminal: Terminal, draft: Draft = IVAN, face: bytes = FACE) -> Enrolment:
    """Capture a face, save it to the employee with this number, and bring both to the terminal."""
    save_with_face(simulator, terminal, draft, face)
    wanted = queries.find(terminal.id, draft.number)
    assert wanted is not None
    return reconcile(wanted.id, "Анна")


def enrol_employee(simulator: Simulated, terminal: Terminal, draft: Draft = IVAN, face: bytes = FACE) -> Employee:
    """Do so at every terminal where the number is desired or has to leave, and return the employee."""
    employee = save_with_face(simulator, terminal, draft, face)
    for enrolment in queries.of_number(draft.number):
        reconcile(enrolment.id, "Анна")
    return employee
