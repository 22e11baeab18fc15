"""Every terminal in use for one employee: what is desired there and what it confirmed, or that nothing is desired."""

from typing import Any

from hikflask.labels.enrolments import statuses_of
from hikflask.models import Employee
from hikflask.models.enrolment import PRESENT
from hikflask.services.enrolments import queries
from hikflask.services.terminals import registry


def known(employee: Employee) -> dict[str, Any]:
    """Return the lines of the page: of each enrolment, and of the other terminals that an active employee may go to."""
    lines = statuses_of(employee)
    desired = {one.terminal_id for one in queries.of_number(employee.number) if one.desired == PRESENT}
    others = [one for one in registry.list_active() if one.id not in desired] if employee.is_active else []
    return {"lines": lines, "others": others, "other_ids": {one.id for one in others}}
