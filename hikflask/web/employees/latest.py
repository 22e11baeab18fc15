"""The strip of the employees that an operator added last, with what their terminals say meanwhile."""

from dataclasses import dataclass

from flask import render_template, session
from flask.typing import ResponseReturnValue

from hikflask.http.permissions import OPERATOR, allow
from hikflask.labels.enrolments import EnrolmentStatus, statuses_of
from hikflask.models import Employee
from hikflask.services.employees import search
from hikflask.web.employees.employees import bp

MAX_SHOWN = 5
# In the signed cookie, which is emptied at sign-in and sign-out: the ids of the added employees, the last one first.
ADDED = "added"


@dataclass(frozen=True)
class Added:
    """An employee of the strip, with the status on each terminal."""

    employee: Employee
    lines: list[EnrolmentStatus]


@bp.get("/employees/latest")
@allow(OPERATOR, is_activity=False)
def latest() -> ResponseReturnValue:
    """The strip, which polls while something is still to be confirmed."""
    return render_template("employees/_latest.html", latest=shown())


def remember(employee_id: int) -> None:
    """Put an employee who was added just now in front. A save that is sent twice counts once."""
    earlier = [row_id for row_id in session.get(ADDED, []) if row_id != employee_id]
    session[ADDED] = [employee_id, *earlier][:MAX_SHOWN]


def shown() -> list[Added]:
    """Return the employees who were added last, without deleted ones."""
    return [Added(employee, statuses_of(employee)) for employee in search.of_ids(session.get(ADDED, []))]
