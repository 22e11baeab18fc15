"""Records that a terminal had of a person before the person was taken over from it, with cards and fingerprints.

A deletion removes them as every other record, as who left must not enter. A person may leave them where they are, which
other software may need: then the employee and the enrolment are forgotten here, and the terminal's comparison lists the
record under what is left as it is, with who decided that.
"""

from dataclasses import dataclass

from sqlalchemy import delete

from hikflask.extensions import db
from hikflask.models import Difference, Employee, Enrolment
from hikflask.models.comparison import ONLY_THERE
from hikflask.models.enrolment import PRESENT
from hikflask.services.audit import search as audit
from hikflask.services.audit.search import AuditFilter
from hikflask.services.comparisons import ignored, queries
from hikflask.services.comparisons.differences import seen
from hikflask.services.comparisons.queries import There
from hikflask.services.core.db import changed_rows, locked_with_number, transactional
from hikflask.services.employees import lifecycle
from hikflask.services.enrolments import queries as enrolments
from hikflask.services.enrolments.reconcile_now import ChangedRow
from hikflask.services.groups import locks

# So many of a person's takings-over are looked through.
MAX_ENTRIES = 200


@dataclass(frozen=True)
class OwnRecord:
    """A record that a terminal had before; `there` is what its last comparison read, None when it read nobody."""

    terminal_id: int
    terminal: str
    there: There | None

    @property
    def cards(self) -> int:
        """How many cards the record has, as far as is known."""
        return (self.there and self.there.cards) or 0

    @property
    def fingerprints(self) -> int:
        """How many fingerprints the record has, as far as is known."""
        return (self.there and self.there.fingerprints) or 0


def of_employee(employee: Employee) -> list[OwnRecord]:
    """Return the records of an employee who was taken over, on terminals where the employee should be."""
    # Not of somebody who had the number before: that record is removed, and this program wrote the current one.
    taken = AuditFilter(action="enrolment.taken_over", employee=employee.number, since=employee.created_at)
    terminals = {entry.terminal for entry in audit.list_entries(taken, MAX_ENTRIES)[0]}
    return [
        OwnRecord(enrolment.terminal_id, enrolment.terminal.name, _there(enrolment))
        for enrolment in enrolments.of_number(employee.number)
        if enrolment.desired == PRESENT and enrolment.terminal.name in terminals
    ]


def _there(enrolment: Enrolment) -> There | None:
    comparison = queries.finished(enrolment.terminal_id)
    return queries.person_there(comparison.id, enrolment.number) if comparison else None


def delete_and_leave(employee_id: int) -> ChangedRow[Employee]:
    """Delete an employee as lifecycle.delete_employee(), but leave on terminals what they had before.

    :raises employee_unknown: when there is no such employee.
    """
    deleted, records = _forget_and_delete(employee_id)
    for record in records:
        comparison = queries.finished(record.terminal_id)
        if comparison and record.there:
            ignored.ignore(comparison, ONLY_THERE, [record.there.number])
    return deleted


@transactional
def _forget_and_delete(employee_id: int) -> tuple[ChangedRow[Employee], list[OwnRecord]]:
    employee = locked_with_number(employee_id)
    locks.share()
    enrolments.of_number(employee.number, lock=True)
    records = of_employee(employee)
    for record in records:
        forget(record.terminal_id, employee.number)
    return lifecycle.delete_employee(employee_id), records


def forget(terminal_id: int, number: str) -> None:
    """Forget an enrolment within the caller's transaction, which has locked it: the terminal keeps its record.

    From now on the terminal's last comparison shows the record as one that is only there.
    """
    changed_rows(delete(Enrolment).where(Enrolment.terminal_id == terminal_id, Enrolment.number == number))
    comparison = queries.finished(terminal_id)
    there = queries.person_there(comparison.id, number) if comparison else None
    if comparison is None or there is None:
        return
    known = (Difference.comparison_id == comparison.id, Difference.number == number)
    changed_rows(delete(Difference).where(*known))
    shown = {"kind": ONLY_THERE, "seen": seen(ONLY_THERE, there)}
    db.session.add(Difference(comparison_id=comparison.id, number=number, **shown))
    db.session.flush()
