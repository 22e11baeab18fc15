"""Finds the employees of a list of pasted numbers, who are to be deactivated."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import Employee
from hikflask.models.columns import storable


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
    here = {employee.number for employee in known}
    return Leavers(
        active=[employee for employee in known if employee.is_active],
        inactive=[employee for employee in known if not employee.is_active],
        unknown=[number for number in wanted if number not in here],
    )
