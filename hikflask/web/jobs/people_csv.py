"""Employees as the rows of a CSV file, with a column for each terminal."""

from collections.abc import Iterable, Iterator

from flask_babel import gettext as _

from hikflask.messages import N_
from hikflask.models import Employee
from hikflask.services.core.dates import local
from hikflask.web.support import enrolment_status
from hikflask.web.support.csv_file import TIME, Rows

Terminals = list[tuple[int, str]]
# The words of employees/_enrolment_status.html, by the badge of a line.
BADGES = {
    enrolment_status.CONFIRMED_STATE: N_("confirmed"),
    enrolment_status.WORKING: N_("in progress"),
    enrolment_status.UNCHECKED: N_("terminal not checked"),
    enrolment_status.WAITING: N_("waiting for the terminal"),
    enrolment_status.PERSON_ONLY: N_("no face"),
    enrolment_status.FACE_REFUSED: N_("face refused"),
    enrolment_status.TAKEN_THERE: N_("ID taken"),
    enrolment_status.REMOVAL_OPEN: N_("may still open doors"),
    enrolment_status.GONE: N_("removed"),
    enrolment_status.NOT_THERE: N_("refused"),
}


def parts(batches: Iterable[list[Employee]], terminals: Terminals) -> Iterator[Rows]:
    """Yield the rows in parts: the header row, then one part for each batch."""
    head = [_("Employee ID"), _("Full name"), _("Department"), _("Active"), _("Added")]
    yield [[*head, *(name for _id, name in terminals)]]
    for batch in batches:
        yield [_cells(employee, terminals) for employee in batch]


def _cells(employee: Employee, terminals: Terminals) -> list[str]:
    there = {line.enrolment.terminal_id: line.badge for line in enrolment_status.of_employee(employee)}
    return [
        employee.number,
        employee.name,
        employee.department,
        _("yes") if employee.is_active else _("no"),
        local(employee.created_at).strftime(TIME),
        *(str(_(BADGES[there[terminal_id]])) if terminal_id in there else "" for terminal_id, _name in terminals),
    ]
