"""What a job does for each item, by the name of its kind. Everything happens within the caller's transaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hikflask.models import Employee, Enrolment, Job, JobItem
from hikflask.services.core.db import locked_employee
from hikflask.services.core.errors import EmployeeUnknown
from hikflask.services.core.progress import Progress
from hikflask.services.employees import lifecycle
from hikflask.services.jobs import export
from hikflask.services.state import enrolment as state

DEACTIVATE = "deactivate"
SEND = "send"
DEPARTMENT = "department"
EXPORT = "export"
PRINT = "print"
# What may be done with those who are selected on the list.
OF_SELECTION = (DEACTIVATE, SEND, DEPARTMENT, EXPORT, PRINT)
Params = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """What is done for one item; None where a draft is only looked at, or everything is done as a whole.

    `whole` is done first and commits by itself, with each report of its progress. A worker that is killed meanwhile
    leaves what it committed, and `whole` is done again from its beginning. It may add items.
    `active_only`: those who are inactive are left out, since nothing would be done for them. `noted`: what the start is
    in the audit trail besides, where people leave the program.
    """

    run: Callable[[JobItem, Params], None] | None
    whole: Callable[[Job, Progress], None] | None = None
    active_only: bool = False
    noted: str = ""

    @property
    def can_start(self) -> bool:
        """True when there is something to do."""
        return self.run is not None or self.whole is not None


def _deactivate(item: JobItem, params: Params) -> None:  # noqa: ARG001 - each kind has the same parameters
    employee = _employee(item)
    if employee.is_active:
        lifecycle.apply_active(employee, active=False)
        state.apply(state.PUT_IN_BULK, Enrolment.number == employee.number)


def _send(item: JobItem, params: Params) -> None:
    enrolment = lifecycle.apply_sent(_employee(item), params["terminal_id"])
    state.apply(state.PUT_IN_BULK, Enrolment.id == enrolment.id)


def _set_department(item: JobItem, params: Params) -> None:
    lifecycle.apply_department(_employee(item), params["department"])


def _employee(item: JobItem) -> Employee:
    if item.employee_id is None:
        raise EmployeeUnknown
    return locked_employee(item.employee_id)


KINDS = {
    DEACTIVATE: Kind(_deactivate, active_only=True),
    SEND: Kind(_send, active_only=True),
    DEPARTMENT: Kind(_set_department),
    EXPORT: Kind(None, export.write_file, noted="employees.exported"),
    PRINT: Kind(None),
}
