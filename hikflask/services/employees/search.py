"""Finds employees by id, by number, and by search words."""

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment
from hikflask.models.employee import folded
from hikflask.models.enrolment import PRESENT
from hikflask.services.employees import filters
from hikflask.services.employees.filters import EmployeeFilter

# Loaded together, so that a page of any length needs three queries.
SHOWN_IN_LISTS = (joinedload(Employee.photo), selectinload(Employee.enrolments).joinedload(Enrolment.terminal))


def by_number(number: str) -> Employee | None:
    """Return the employee with this number, or None."""
    return db.session.execute(select(Employee).where(Employee.number == number)).scalar_one_or_none()


def get(employee_id: int) -> Employee | None:
    """Return the employee, fresh from the database, or None."""
    return db.session.get(Employee, employee_id, populate_existing=True)


def search(wanted: EmployeeFilter, limit: int, offset: int) -> tuple[list[Employee], int]:
    """Return one page of the employees that a list shows, in its order, and the count of all of them."""
    matches = filters.conditions(wanted)
    statement = select(Employee).where(*matches).order_by(*filters.order(wanted))
    total = db.session.execute(select(func.count(Employee.id)).where(*matches)).scalar_one()
    statement = statement.options(*SHOWN_IN_LISTS).limit(limit).offset(offset)
    page = db.session.execute(statement, execution_options={"populate_existing": True}).scalars()
    return list(page), total


def ids(wanted: EmployeeFilter) -> list[int]:
    """Return the ids of all employees that a list shows, in its order."""
    statement = select(Employee.id).where(*filters.conditions(wanted)).order_by(*filters.order(wanted))
    return list(db.session.execute(statement).scalars())


def departments() -> list[str]:
    """Return the departments that employees have, each once, sorted."""
    # From each to the next one, since reading them off all employees would take long.
    found = select(func.min(Employee.department).label("name")).cte("found", recursive=True)
    following = select(func.min(Employee.department)).where(Employee.department > found.c.name).scalar_subquery()
    found = found.union_all(select(following).select_from(found).where(found.c.name.is_not(None)))
    names = db.session.execute(select(found.c.name).where(found.c.name.is_not(None), found.c.name != "")).scalars()
    return sorted(names, key=folded)


def is_synced(employee: Employee) -> bool:
    """True when at least one enrolment is desired present, and all of these are confirmed."""
    wanted = [enrolment for enrolment in employee.enrolments if enrolment.desired == PRESENT]
    return bool(wanted) and all(enrolment.is_green for enrolment in wanted)
