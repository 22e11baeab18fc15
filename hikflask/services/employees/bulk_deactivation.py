"""Deactivates many employees at once, by a list of pasted numbers."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import Employee
from hikflask.models.columns import storable
from hikflask.services.core.errors import EmployeeUnknown
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.enrolments.due import Changed


@dataclass(frozen=True)
class Leavers:
    """The employees of a list of numbers, and the numbers that no employee has."""

    active: list[Employee]
    inactive: list[Employee]
    unknown: list[str]


def found(numbers: Iterable[str]) -> Leavers:
    """Find the employees with these numbers, without changing anything."""
    wanted = list(numbers)
    statement = (
        select(Employee).where(Employee.number.in_(map(storable, wanted))).order_by(Employee.search, Employee.id)
    )
    known = list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())
    db.session.commit()
    here = {employee.number for employee in known}
    return Leavers(
        active=[employee for employee in known if employee.is_active],
        inactive=[employee for employee in known if not employee.is_active],
        unknown=[number for number in wanted if number not in here],
    )


def deactivate(numbers: Iterable[str]) -> Changed[list[Employee]]:
    """Deactivate the active employees with these numbers, each in a separate transaction; return these employees.

    An employee who was deleted meanwhile is skipped.
    """
    left: list[Changed[Employee]] = []
    for employee in found(numbers).active:
        with suppress(EmployeeUnknown):
            left.append(set_active(employee.id, active=False))
    return Changed([one.row for one in left], tuple(due for one in left for due in one.due))
