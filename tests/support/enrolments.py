"""An employee on a terminal."""

from hikflask.isapi.errors import TerminalError
from hikflask.models import Employee, Enrolment, Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees.lifecycle import send_to_terminal
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, IVAN
from tests.support.employees import save_with_face


def desire(terminal: Terminal, draft: Draft = IVAN) -> Enrolment:
    """Save a new employee without a face, and desire it on the terminal, which is not told yet."""
    return send_to_terminal(save_employee(draft).row.id, terminal.id).row


def desire_with_face(simulator: Simulated, terminal: Terminal, draft: Draft = IVAN, face: bytes = FACE) -> Enrolment:
    """Capture a face and save it to the employee with this number; the terminal is not told yet."""
    save_with_face(simulator, terminal, draft, face)
    wanted = queries.find(terminal.id, draft.number)
    assert wanted is not None
    return wanted


def enrol(simulator: Simulated, terminal: Terminal, draft: Draft = IVAN, face: bytes = FACE) -> Enrolment:
    """Capture a face, save it to the employee with this number, and bring both to the terminal."""
    return reconcile(desire_with_face(simulator, terminal, draft, face).id, "Анна")


def employee_of(enrolment: Enrolment) -> int:
    """Return the id of the employee, who is there still."""
    assert enrolment.employee_id is not None
    return enrolment.employee_id


def enrol_employee(simulator: Simulated, terminal: Terminal, draft: Draft = IVAN, face: bytes = FACE) -> Employee:
    """Do so at every terminal where the number is desired or has to leave, and return the employee."""
    employee = save_with_face(simulator, terminal, draft, face)
    for enrolment in queries.of_number(draft.number):
        reconcile(enrolment.id, "Анна")
    return employee


def let_fail(enrolment: Enrolment) -> None:
    """Try an enrolment at a terminal that does not do it."""
    try:
        reconcile(enrolment.id, "test")
    except (TerminalError, ServiceError):
        return
