"""Finds employees by id, by number, and by search words."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, and_, delete, func, insert, literal, select
from sqlalchemy.orm import joinedload, selectinload

from hikflask.extensions import db
from hikflask.models import Employee, EmployeeCount, Enrolment
from hikflask.models.columns import storable
from hikflask.models.employee import folded
from hikflask.models.enrolment import PRESENT
from hikflask.services.core import keyset, name_index
from hikflask.services.core.db import MOST_COUNTED, count_rows_up_to, fresh
from hikflask.services.core.keyset import FIRST, Keyset, Page, Place
from hikflask.services.employees import filters
from hikflask.services.employees.filters import EmployeeFilter, Ids

# So few are gathered and sorted. Of more, a page is read in the list's order: those who pass are not far apart.
FEW = 2000
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
    return fresh(Employee, employee_id)


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
    with_name = Employee.id.in_(name_index.ids([f"{folded(name)} "]))
    others = select(Employee).where(with_name, same, Employee.id != (employee_id or 0)).order_by(Employee.id)
    return list(db.session.execute(others.limit(MOST_NAMESAKES)).scalars())


def of_ids(ids: list[int], *, enrolments: bool = True) -> list[Employee]:
    """Return the employees with these ids that there are, in this order, as lists show them.

    :param enrolments: False: without them, as they are many and more is read of each than a list shows.
    """
    statement = select(Employee).where(Employee.id.in_(ids)).options(*SHOWN_IN_LISTS[: 2 if enrolments else 1])
    found = db.session.execute(statement, execution_options={"populate_existing": True}).scalars()
    place = {employee_id: number for number, employee_id in enumerate(ids)}
    return sorted(found, key=lambda employee: place[employee.id])


def page(wanted: EmployeeFilter, limit: int, place: Place = FIRST) -> tuple[Page[Employee], int]:
    """Return a page of the employees that a list shows, in its order, and the exact count of all of them.

    :raises CursorUnknown: when the place is none of a list in this order.
    """
    found, total = _page(wanted, limit, place)
    return _shown(found), count(wanted) if total is None else total


def page_to_show(wanted: EmployeeFilter, limit: int, place: Place = FIRST) -> tuple[Page[Employee], int]:
    """Return a page, and how many pass the filter: more than MOST_COUNTED may be counted as one more than that.

    :raises CursorUnknown: when the place is none of a list in this order.
    """
    found, total = _page(wanted, limit, place)
    return _shown(found), count_up_to(wanted) if total is None else total


def search(wanted: EmployeeFilter, limit: int, offset: int) -> tuple[list[Employee], int]:
    """Return some of the employees that a list shows, in its order, and the exact count of all of them.

    What comes before is read as well: from a place on, page() reads no more than it returns.
    """
    if not offset:
        found, total = page(wanted, limit)
        return found.rows, total
    statement = _ids(wanted, each=True).limit(limit).offset(offset)
    return of_ids(list(db.session.execute(statement).scalars()), enrolments=False), count(wanted)


def ids(wanted: EmployeeFilter) -> list[int]:
    """Return the ids of all employees whom a list shows, in its order."""
    return list(db.session.execute(_ids(wanted)).scalars())


def count(wanted: EmployeeFilter) -> int:
    """Return how many employees pass a filter."""
    return db.session.execute(filters.counted(wanted)).scalar_one()


def count_up_to(wanted: EmployeeFilter) -> int:
    """Return how many employees pass a filter; more than MOST_COUNTED may be counted as one more than that."""
    if replace(wanted, sort=EmployeeFilter.sort) in filters.KEPT:
        return count(wanted)
    source = _few(wanted)
    if source is not None:
        counted = _gathered(select(func.count()).select_from(Employee), wanted, source)
        return int(db.session.execute(counted).scalar_one())
    words = filters.words_of(wanted)
    if words and wanted == EmployeeFilter(q=wanted.q, sort=wanted.sort):
        return count_rows_up_to(name_index.ids(words))
    if wanted.state and wanted == EmployeeFilter(state=wanted.state, terminal=wanted.terminal, sort=wanted.sort):
        return count_rows_up_to(filters.in_state_once(wanted.state, wanted.terminal, MOST_COUNTED))
    return count_rows_up_to(select(Employee.id).where(*filters.conditions(wanted, each=True)), MOST_COUNTED)


def add_up_counts() -> None:
    """Add up the rows of the counts that the database keeps, where each change added one."""
    if db.engine.dialect.name != "postgresql":
        return
    columns = [getattr(EmployeeCount, name) for name in ("people", "active", "no_face", "no_consent", "consents")]
    # One statement, so that nobody ever reads the sum of less, or of more.
    gone = delete(EmployeeCount).returning(*columns).cte("gone")
    sums = select(*(func.coalesce(func.sum(gone.c[column.key]), 0) for column in columns))
    db.session.execute(insert(EmployeeCount).from_select([column.key for column in columns], sums))
    db.session.commit()


def _shown(page: Page[int]) -> Page[Employee]:
    return Page(of_ids(page.rows, enrolments=False), page.after, page.before)


def _page(wanted: EmployeeFilter, limit: int, place: Place) -> tuple[Page[int], int | None]:
    """Return the ids of a page, and the count of all when it is known by that."""
    order = Keyset(filters.order(wanted), f"employees {wanted.sort}")
    source = _few(wanted)
    if source is None:
        statement = select(Employee.id, *order.columns).where(*filters.conditions(wanted, each=True))
        rows: list[Any] = list(db.session.execute(order.chosen(statement, place).limit(limit + 1)))
        return keyset.first_of_rows(keyset.cut(rows, order, limit, place)), None
    behind = and_(literal(value=True), *order.condition(place))
    gathered = select(behind, Employee.id, *order.columns)
    few = list(db.session.execute(order.sorted(_gathered(gathered, wanted, source), place)))
    rows = [row[1:] for row in few if row[0]][: limit + 1]
    return keyset.first_of_rows(keyset.cut(rows, order, limit, place)), len(few)


def _gathered(statement: Select[Any], wanted: EmployeeFilter, source: Ids) -> Select[Any]:
    """Return the statement for those few who pass."""
    return statement.where(Employee.id.in_(source), *filters.conditions(wanted, each=True))


def _few(wanted: EmployeeFilter) -> Ids | None:
    """Return the statement for the ids of a few employees among whom are all who pass, or None: there may be many."""
    for source in filters.sources(wanted):
        if count_rows_up_to(source, FEW) <= FEW:
            return source
    return None


def _ids(wanted: EmployeeFilter, *, each: bool = False) -> Select[int]:
    return select(Employee.id).where(*filters.conditions(wanted, each=each)).order_by(*filters.order(wanted))


def names(employee_ids: Iterable[int | None]) -> dict[int, str]:
    """Return the names of those of these employees who are not deleted, by id."""
    wanted = select(Employee.id, Employee.name).where(Employee.id.in_({one for one in employee_ids if one}))
    return {row.id: row.name for row in db.session.execute(wanted)}


def is_synced(employee: Employee) -> bool:
    """True when at least one enrolment is desired present, and all of these are confirmed."""
    wanted = [enrolment for enrolment in employee.enrolments if enrolment.desired == PRESENT]
    return bool(wanted) and all(enrolment.is_green for enrolment in wanted)
