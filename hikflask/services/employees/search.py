"""Finds employees by id, by number, and by search words."""

from collections import Counter
from collections.abc import Collection, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.orm import joinedload, selectinload

from hikflask.extensions import db
from hikflask.models import Employee, EmployeeCount, Enrolment
from hikflask.services.core import keyset
from hikflask.services.core.db import (
    MAX_COUNTED,
    Exact,
    along_indexes,
    count_rows_up_to,
    counting,
    fresh,
    transactional,
)
from hikflask.services.core.keyset import FIRST, Keyset, Page, PagePosition
from hikflask.services.employees import filters, word_index
from hikflask.services.employees.filters import ON_TERMINALS, EmployeeFilter, Ids
from hikflask.text_rules import retyped, storable

# How many employees are read in the list's order first. For most lists that fills a page.
WALK = 2000
# Up to so many are gathered and sorted, and counted exactly in a search.
FEW = 500
# Where no more enrolments are not green, it costs nothing to take their employees off the count of all.
MAX_NOT_GREEN = 10_000
# Of many who have the searched words and are far apart, a few are looked at for the pairs of letters that they begin
# with, of which so many are taken.
MAX_PAIRS = 8
# Made once: to make a statement costs more than to run it.
BY_NUMBER = select(Employee).where(Employee.number == bindparam("number"))
# Loaded together, so that a page of any length needs three queries.
SHOWN_IN_LISTS = (joinedload(Employee.photo), selectinload(Employee.enrolments).joinedload(Enrolment.terminal))


def by_number(number: str) -> Employee | None:
    """Return the employee with this number, or None."""
    employee: Employee | None = db.session.execute(BY_NUMBER, {"number": number}).scalar_one_or_none()
    return employee


def known_numbers(numbers: Collection[str]) -> set[str]:
    """Return those of these numbers that an employee has."""
    return set(db.session.execute(select(Employee.number).where(Employee.number.in_(numbers))).scalars())


def get(employee_id: int) -> Employee | None:
    """Return the employee, fresh from the database, or None."""
    return fresh(Employee, employee_id)


@dataclass(frozen=True)
class Listed:
    """The employees of a list of numbers, and the numbers that no employee has."""

    active: list[Employee]
    inactive: list[Employee]
    unknown: list[str]


def by_numbers(numbers: Collection[str]) -> Listed:
    """Return the employees with these numbers."""
    with_numbers = select(Employee).where(Employee.number.in_(map(storable, numbers)))
    statement = with_numbers.order_by(Employee.search, Employee.id)
    employees = db.session.execute(statement, execution_options={"populate_existing": True}).scalars().all()
    existing = {employee.number for employee in employees}
    return Listed(
        active=[employee for employee in employees if employee.is_active],
        inactive=[employee for employee in employees if not employee.is_active],
        unknown=[number for number in numbers if number not in existing],
    )


def of_ids(ids: list[int], *, enrolments: bool = True) -> list[Employee]:
    """Return the existing employees with these ids, in this order, as lists show them, or without their enrolments."""
    if not ids:
        return []
    statement = select(Employee).where(Employee.id.in_(ids)).options(*SHOWN_IN_LISTS[: 2 if enrolments else 1])
    employees = db.session.execute(statement, execution_options={"populate_existing": True}).scalars()
    place = {employee_id: number for number, employee_id in enumerate(ids)}
    return sorted(employees, key=lambda employee: place[employee.id])


def page(
    wanted: EmployeeFilter, limit: int, place: PagePosition = FIRST, up_to: int | None = None
) -> tuple[Page[Employee], int]:
    """Return a page of the employees that a list shows, in its order, and the count of all of them.

    :param up_to: at most FEW: more than so many may be counted as one more than that. None: the count is exact.
    :raises CursorUnknown: when the cursor does not fit this order.
    """
    rows, total = _page(wanted, limit, place)
    if total is not None and total <= FEW:
        return rows, Exact(total)
    return rows, count(wanted) if up_to is None else count_up_to(wanted, up_to)


def page_to_show(wanted: EmployeeFilter, limit: int, place: PagePosition = FIRST) -> tuple[Page[Employee], int]:
    """Return page(), and how many pass the filter as pages count: more than MAX_COUNTED may be one more than that."""
    return page(wanted, limit, place, MAX_COUNTED)


def in_other_layout(wanted: EmployeeFilter) -> EmployeeFilter | None:
    """Return the filter with its words as the other layout of the keyboard writes them; None: nobody has such words."""
    other = replace(wanted, q=retyped(wanted.q))
    words = filters.words_of(other)
    return other if words and db.session.execute(word_index.ids(words).limit(1)).first() else None


def search(wanted: EmployeeFilter, limit: int, offset: int) -> tuple[list[Employee], int]:
    """Return some of the employees that a list shows, in its order, and the exact count of all of them.

    What comes before is read as well: from a place on, page() reads no more than it returns.
    """
    if not offset:
        first, total = page(wanted, limit)
        return first.rows, total
    statement = _ids(wanted, each=True).limit(limit).offset(offset)
    return of_ids(list(db.session.execute(statement).scalars()), enrolments=False), count(wanted)


def ids(wanted: EmployeeFilter) -> list[int]:
    """Return the ids of all employees whom a list shows, in its order."""
    return list(db.session.execute(_ids(wanted)).scalars())


def count(wanted: EmployeeFilter) -> Exact:
    """Return how many employees pass a filter."""
    return Exact(db.session.execute(filters.counted(wanted)).scalar_one())


def count_up_to(wanted: EmployeeFilter, most: int = MAX_COUNTED) -> int:
    """Return how many employees pass a filter; more than `most` may be counted as one more than that.

    It is Exact where an index has nobody else, or only a few besides.
    """
    alone = replace(wanted, sort=EmployeeFilter.sort)
    if _is_counted_soon(alone):
        return count(wanted)
    at = {} if wanted.terminal is None else {"terminal_id": wanted.terminal}
    # What somebody typed is not kept in memory.
    is_bare = alone == EmployeeFilter(state=wanted.state, terminal=wanted.terminal)
    each_once = _counting_each_once(wanted.state, most, at_terminal=bool(at)) if is_bare else None
    if each_once is not None:
        return db.session.execute(each_once, at).scalar_one()
    words, limit = filters.words_of(wanted), max(FEW, most)
    if words and alone == EmployeeFilter(q=wanted.q):
        hits = len(word_index.texts(words, limit + 1))
        return Exact(hits) if hits <= limit else most + 1
    source = _few(wanted)
    if source is not None:
        passing = (Employee.id.in_(source), *filters.conditions(wanted, each=True))
        return Exact(db.session.execute(select(func.count()).select_from(Employee).where(*passing)).scalar_one())
    with along_indexes():
        return count_rows_up_to(select(Employee.id).where(*filters.conditions(wanted, each=True)), most)


def _is_counted_soon(alone: EmployeeFilter) -> bool:
    """Return True for a single condition whose exact count costs next to nothing."""
    if alone == EmployeeFilter(state=ON_TERMINALS):
        return count_rows_up_to(filters.NOT_GREEN, MAX_NOT_GREEN) <= MAX_NOT_GREEN
    along_one = (EmployeeFilter(department=alone.department), EmployeeFilter(terminal=alone.terminal))
    return alone in filters.KEPT or alone in along_one


@lru_cache(maxsize=64)
def _counting_each_once(state: str, most: int, *, at_terminal: bool) -> Select[int] | None:
    # To make the statement costs more than to run it, and the page of all terminals counts at each of them.
    terminal = cast("int", bindparam("terminal_id", type_=Integer)) if at_terminal else None
    alone = filters.each_once(EmployeeFilter(state=state, terminal=terminal), most)
    return None if alone is None else counting(alone)


@transactional
def add_up_counts() -> None:
    """Add up the rows of the counts that the database keeps, where each change added one."""
    if db.engine.dialect.name != "postgresql":
        return
    columns = [getattr(EmployeeCount, name) for name in ("people", "active", "no_face", "no_consent", "consents")]
    # One statement, so that nobody ever reads the sum of less, or of more.
    gone = delete(EmployeeCount).returning(*columns).cte("gone")
    sums = select(*(func.coalesce(func.sum(gone.c[column.key]), 0) for column in columns))
    db.session.execute(insert(EmployeeCount).from_select([column.key for column in columns], sums))


def _page(wanted: EmployeeFilter, limit: int, place: PagePosition) -> tuple[Page[Employee], int | None]:
    """Return a page, and the count of all when reading the page has told it; more than FEW may be FEW + 1.

    The employee with exactly the searched number comes first, and not again among the others.
    """
    order = Keyset(filters.SORTS[wanted.sort], f"employees {wanted.sort}")
    first = _with_number(wanted)
    rows, total = _rows(wanted, order, limit + (first is not None), place)
    if first is not None:
        rows = [row for row in rows if row[0] != first]
        row = (first, *(None for _ in order.order))
        if not place.cursor:
            rows.insert(0, row)
        elif place.is_backwards and len(rows) <= limit:
            rows.append(row)
    ids = keyset.first_of_rows(keyset.cut(rows[: limit + 1], order, limit, place))
    return Page(of_ids(ids.rows, enrolments=False), ids.after, ids.before), total


def _with_number(wanted: EmployeeFilter) -> int | None:
    """Return the id of the employee with the searched number, or None when there is none that passes."""
    number = storable(wanted.q.strip())
    if not number:
        return None
    # A search minds no case, so the same number in capital letters is meant, too, where nobody has this very one.
    same = or_(Employee.number == number, Employee.number == number.upper())
    passing = select(Employee.id).where(same, *filters.conditions(wanted, each=True))
    return db.session.execute(passing.order_by(Employee.number != number).limit(1)).scalar()


def _rows(wanted: EmployeeFilter, order: Keyset, limit: int, place: PagePosition) -> tuple[list[Any], int | None]:
    """Return the first rows from a place on, one more than `limit` if there are more, reading as little as possible.

    Return the count of all, too, when what was read tells it; more than FEW may be FEW + 1.
    """
    end = _end_of_walk(wanted, order, place)
    near = _in_order(wanted, order, place, *end).limit(limit + 1)
    with along_indexes() if end else nullcontext():
        rows = list(db.session.execute(near))
    if not end or len(rows) > limit:
        return rows, None
    words = filters.words_of(wanted)
    hits = word_index.texts(words, max(FEW, MAX_COUNTED) + 1) if words else []
    source = word_index.ids(words) if words and len(hits) <= FEW else _few(replace(wanted, q=""))
    if source is not None:
        behind = and_(literal(value=True), *order.condition(place))
        gathered = select(behind, Employee.id, *order.columns)
        passing = gathered.where(Employee.id.in_(source), *filters.conditions(wanted, each=True))
        few = list(db.session.execute(order.sorted(passing, place)))
        return [row[1:] for row in few if row[0]][: limit + 1], len(few)
    # Where the words are the whole filter, each hit passes.
    is_counted = hits and wanted == EmployeeFilter(q=wanted.q, sort=wanted.sort)
    total = len(hits) if is_counted else None
    together = _rows_together(wanted, order, limit, place, hits) if hits else None
    if together is not None:
        return together, total
    return list(db.session.execute(_in_order(wanted, order, place).limit(limit + 1))), total


def _in_order(wanted: EmployeeFilter, order: Keyset, place: PagePosition, *within: ColumnElement[bool]) -> Select[Any]:
    """Select the employees who pass, from a place on, each looked up in the list's order."""
    statement = select(Employee.id, *order.columns).where(*filters.conditions(wanted, each=True), *within)
    return order.chosen(statement, place)


def _end_of_walk(wanted: EmployeeFilter, order: Keyset, place: PagePosition) -> list[ColumnElement[bool]]:
    """Return the condition for the first WALK employees of the list's order, or none when there are no more."""
    if wanted == EmployeeFilter(department=wanted.department, sort=wanted.sort):
        return []
    everybody = replace(EmployeeFilter(), department=wanted.department, sort=wanted.sort)
    last = db.session.execute(_in_order(everybody, order, place).limit(1).offset(WALK)).first()
    if last is None:
        return []
    columns, values = order.columns, last[1:]
    here = tuple_(*(literal(value, column.type) for column, value in zip(columns, values, strict=True)))
    row = tuple_(*columns)
    return [row > here if order.descends != place.is_backwards else row < here]


def _rows_together(
    wanted: EmployeeFilter, order: Keyset, limit: int, place: PagePosition, hits: list[str]
) -> list[Any] | None:
    """Return the first rows of a search whose hits are together in the order of names, as those of one surname are.

    Employees whose text begins with one of a few pairs of letters are read in the order of names. The rest, who may
    have the longest of the words, are gathered. None: the list has another order, or the rest are too many.

    :param hits: the texts of some of the hits.
    """
    if wanted.sort not in filters.BY_NAME or not _sorts_by_letter():
        return None
    pairs = [pair for pair, _ in Counter(text[:2] for text in hits).most_common(MAX_PAIRS)]
    longest = max(filters.words_of(wanted), key=len)
    # Few of the rest have the end of the word, mostly, and these are found sooner than those with the word.
    for part_of_word in (longest[-word_index.LETTERS :], longest):
        rest = list(db.session.execute(word_index.ids([part_of_word], but_from=pairs).limit(FEW + 1)).scalars())
        if len(rest) <= FEW:
            break
    else:
        return None
    parts: list[ColumnElement[bool]] = [Employee.id.in_(rest)] if rest else []
    parts += [and_(Employee.search >= pair, Employee.search < pair + word_index.LAST) for pair in pairs]
    results = (db.session.execute(_in_order(wanted, order, place, part).limit(limit + 1)) for part in parts)
    rows = {row.id: row for result in results for row in result}
    in_order = sorted(rows.values(), key=lambda row: (row.search, row.id), reverse=order.descends != place.is_backwards)
    return in_order[: limit + 1]


def _sorts_by_letter() -> bool:
    """True when the database sorts texts by the numbers of their letters, as Python does."""
    if db.engine.dialect.name == "sqlite":
        return True
    collation = text("SELECT datcollate FROM pg_database WHERE datname = current_database()")
    return db.session.execute(collation).scalar_one() in {"C", "POSIX"}


def _few(wanted: EmployeeFilter) -> Ids | None:
    """Return the statement for the ids of a few employees among whom are all who pass, or None: there may be many."""
    words = filters.words_of(wanted)
    if words and len(word_index.texts(words, FEW + 1)) <= FEW:
        return word_index.ids(words)
    for source in filters.sources(wanted):
        if count_rows_up_to(source, FEW) <= FEW:
            return source
    return None


def _ids(wanted: EmployeeFilter, *, each: bool = False) -> Select[int]:
    first = _with_number(wanted)
    at_first = () if first is None else ((Employee.id != first).asc(),)
    order = (*at_first, *filters.SORTS[wanted.sort])
    return select(Employee.id).where(*filters.conditions(wanted, each=each)).order_by(*order)


def names(employee_ids: Iterable[int | None]) -> dict[int, str]:
    """Return the names of employees by id, without those who are deleted."""
    ids = {employee_id for employee_id in employee_ids if employee_id}
    statement = select(Employee.id, Employee.name).where(Employee.id.in_(ids))
    return {row.id: row.name for row in db.session.execute(statement)}
