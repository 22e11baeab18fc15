"""Finds employees by id, by number, and by search words."""

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import joinedload, selectinload

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment
from hikflask.models.employee import folded
from hikflask.models.enrolment import PRESENT

# Loaded together, so that a page of any length needs three queries.
SHOWN_IN_LISTS = (joinedload(Employee.photo), selectinload(Employee.enrolments).joinedload(Enrolment.terminal))
# In characters. The searched text is not longer, and databases limit the number of conditions in a query.
LONGEST_SEARCH = 300


def by_number(number: str) -> Employee | None:
    """Return the employee with this number, or None."""
    return db.session.execute(select(Employee).where(Employee.number == number)).scalar_one_or_none()


def get(employee_id: int) -> Employee | None:
    """Return the employee, fresh from the database, or None."""
    return db.session.get(Employee, employee_id, populate_existing=True)


def search(q: str, limit: int, offset: int) -> tuple[list[Employee], int]:
    """Return one page of the employees that match every word of `q`, sorted by name, and the count of all matches."""
    statement = select(Employee).where(*_matches(q)).order_by(Employee.search, Employee.id)
    total = db.session.execute(select(func.count(Employee.id)).where(*_matches(q))).scalar_one()
    statement = statement.options(*SHOWN_IN_LISTS).limit(limit).offset(offset)
    page = db.session.execute(statement, execution_options={"populate_existing": True}).scalars()
    return list(page), total


def _matches(q: str) -> list[ColumnElement[bool]]:
    return [Employee.search.contains(word, autoescape=True) for word in folded(q[:LONGEST_SEARCH]).split()]


def is_synced(employee: Employee) -> bool:
    """True when at least one enrolment is desired present, and all of these are confirmed."""
    wanted = [enrolment for enrolment in employee.enrolments if enrolment.desired == PRESENT]
    return bool(wanted) and all(enrolment.is_green for enrolment in wanted)
