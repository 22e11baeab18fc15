"""What is still to be done for an employee: the blue button of the page."""

from collections.abc import Sequence

from hikflask.http.permissions import ADMIN
from hikflask.labels.enrolments import EnrolmentStatus
from hikflask.models import Employee, Terminal
from hikflask.models.enrolment import LEAVING, REFUSED, REMOVED, WAITING
from hikflask.services.enrolments.causes import ASKS_WHOSE
from hikflask.services.state.badges import NOT_SENT, PERSON_ONLY, TAKEN_THERE
from hikflask.services.terminals import connection
from hikflask.web.security.current_operator import may


def missing_step(
    employee: Employee, lines: Sequence[EnrolmentStatus], others: Sequence[Terminal]
) -> tuple[str, EnrolmentStatus | None]:
    """Return the step, empty for none, and the first of these lines that it is for, None when it is for none.

    `others` are the terminals that the employee can still be sent to.
    """
    steps = ((_step_of(line), line) for line in lines if not line.working)
    return next((found for found in steps if found[0]), (_step_to_a_terminal(employee, lines, others), None))


def _step_to_a_terminal(employee: Employee, lines: Sequence[EnrolmentStatus], others: Sequence[Terminal]) -> str:
    is_nowhere = employee.is_active and all(line.detail == REMOVED for line in lines)
    if is_nowhere and employee.picture:
        return "send" if others else ""
    return "photo" if is_nowhere else ""


def _step_of(line: EnrolmentStatus) -> str:
    if line.password_refused:
        return "password" if may(ADMIN) else ""
    if line.detail == LEAVING:
        is_decided = line.enrolment.waits_for_hand or line.enrolment.refusal_code in ASKS_WHOSE
        return "" if is_decided else "removal"
    if line.detail == PERSON_ONLY:
        return _photo_step(line)
    return {TAKEN_THERE: "number", REFUSED: "retry"}.get(line.detail, "")


def _photo_step(line: EnrolmentStatus) -> str:
    if line.needs_capture:
        return "" if connection.is_out_of_reach(line.enrolment.terminal) else "capture"
    return "" if line.lacks_capacity or line.badge in (NOT_SENT, WAITING) else "photo"
