"""Finds employees by id, by number, and by search words."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Select, func, literal, select
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.sql.operators import asc_op

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment
from hikflask.models.columns import storable
from hikflask.models.employee import folded
from hikflask.models.enrolment import PRESENT
from hikflask.services.employees import filters
from hikflask.services.employees.filters import EmployeeFilter

# Up to so many, who is found is counted by what is found, in one statement.
FEW = 100
# Loaded together, so that a page of any length needs three queries.
SHOWN_IN_LISTS = (joinedload(Employee.photo), selectinload(Employee.enrolments).joinedload(Enrolment.terminal))

MOST_NAMESAKES = 3


@dataclass(frozen=True)
class Known:
    """Other employees that a typed number and name belong to: the owner of the number, and a few with the name."""

    owner: Employee | None
    namesakes: list[Employee]


def by_number(number: str) -> Employee | None:
    """Return the employee with this number, or None."""
    return db.session.execute(select(Employee).where(Employee.number == number)).scalar_one_or_none()


def get(employee_id: int) -> Employee | None:
    """Return the employee, fresh from the database, or None."""
    return db.session.get(Employee, employee_id, populate_existing=True)


def known(number: str, name: str, employee_id: int | None) -> Known:
    """Return who else has this number or this name.

    :param employee_id: the employee whom the form changes. A name that the employee has already is not searched.
    """
    owner = by_number(storable(number))
    changed = get(employee_id) if employee_id else None
    kept = changed is not None and folded(changed.name) == folded(name)
    return Known(None if owner is changed else owner, [] if kept or not name else _namesakes(name, employee_id))


def _namesakes(name: str, employee_id: int | None) -> list[Employee]:
    # `search` begins with the folded name and the number, which is ASCII.
    begin = literal(f"{folded(name)} ") + func.lower(Employee.number) + literal(" ")
    same = func.substr(Employee.search, 1, func.length(begin)) == begin
    others = select(Employee).where(same, Employee.id != (employee_id or 0)).order_by(Employee.id)
    return list(db.session.execute(others.limit(MOST_NAMESAKES)).scalars())


def of_ids(ids: list[int]) -> list[Employee]:
    """Return the employees with these ids that there are, in this order, as lists show them."""
    statement = select(Employee).where(Employee.id.in_(ids)).options(*SHOWN_IN_LISTS)
    found = db.session.execute(statement, execution_options={"populate_existing": True}).scalars()
    return sorted(found, key=lambda employee: ids.index(employee.id))


def search(wanted: EmployeeFilter, limit: int, offset: int) -> tuple[list[Employee], int]:
    """Return one page of the employees that a list shows, in its order, and the count of all of them."""
    found = list(db.session.execute(_ids(wanted).limit(FEW + 1)).scalars())
    if len(found) <= FEW:
        return of_ids(found[offset : offset + limit]), len(found)
    total = count(wanted)
    last = min(offset + limit, total)
    if last > FEW:
        found = _page_of_many(wanted, offset, last, total) if offset < last else []
        return of_ids(found), total
    return of_ids(found[offset:last]), total


def ids(wanted: EmployeeFilter) -> list[int]:
    """Return the ids of all employees whom a list shows, in its order."""
    return list(db.session.execute(_ids(wanted)).scalars())


def count(wanted: EmployeeFilter) -> int:
    """Return how many employees pass a filter."""
    return db.session.execute(filters.counted(wanted)).scalar_one()


def _page_of_many(wanted: EmployeeFilter, first: int, last: int, total: int) -> list[int]:
    """Return the ids of a page, counted from the nearer end."""
    if last <= total - first:
        return list(db.session.execute(_ids(wanted).limit(last - first).offset(first)).scalars())
    backwards = [
        column.element.desc() if column.modifier is asc_op else column.element.asc() for column in filters.order(wanted)
    ]
    statement = _ids(wanted).order_by(None).order_by(*backwards).limit(last - first).offset(total - last)
    return list(db.session.execute(statement).scalars())[::-1]


def _ids(wanted: EmployeeFilter) -> Select[int]:
    """Return the statement for the ids alone: it reads an index and no rows."""
    return select(Employee.id).where(*filters.conditions(wanted)).order_by(*filters.order(wanted))


def names(employee_ids: Iterable[int | None]) -> dict[int, str]:
    """Return the names of those of these employees who are not deleted, by id."""
    wanted = select(Employee.id, Employee.name).where(Employee.id.in_({one for one in employee_ids if one}))
    return {row.id: row.name for row in db.session.execute(wanted)}


def is_synced(employee: Employee) -> bool:
    """True when at least one enrolment is desired present, and all of these are confirmed."""
    wanted = [enrolment for enrolment in employee.enrolments if enrolment.desired == PRESENT]
    return bool(wanted) and all(enrolment.is_green for enrolment in wanted)
