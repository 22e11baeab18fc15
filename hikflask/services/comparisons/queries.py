"""Reads comparisons and what they found, always fresh from the database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, and_, exists, func, select
from sqlalchemy.orm import joinedload

from hikflask.extensions import db
from hikflask.models import Comparison, Difference, Employee, Enrolment, LeftAlone, PersonThere, Terminal
from hikflask.models.comparison import DONE, KINDS, READING
from hikflask.services.comparisons.errors import ComparisonUnknown
from hikflask.services.core.errors import NameTooLong
from hikflask.services.core.terminal_name import name_for

Found = TypeVar("Found")
# A database takes only so many values in one statement.
AT_ONCE = 500
# A longer name there is kept up to this length.
LONGEST_THERE = 255


@dataclass(frozen=True)
class Facts:
    """What is known of a number: all its kinds of difference, what is there, and what is desired here.

    `there` is None for a number that is only here, `enrolment` for one that was never desired here. `employee` is who
    has the number here, also when not desired on this terminal. `name_wanted` is the name that the terminal should
    show, "" for a stranger.
    """

    number: str
    kinds: tuple[str, ...]
    there: PersonThere | None
    enrolment: Enrolment | None
    employee: Employee | None
    name_wanted: str


@dataclass(frozen=True)
class Row(Facts):
    """One difference, with what is known of its number."""

    id: int


def get(comparison_id: int) -> Comparison | None:
    """Return the comparison, or None."""
    return db.session.get(Comparison, comparison_id, populate_existing=True)


def row(comparison_id: int) -> Comparison:
    """Return the comparison, without leaving a transaction open.

    :raises ComparisonUnknown: when there is no such row.
    """
    found = get(comparison_id)
    db.session.commit()
    if found is None:
        raise ComparisonUnknown
    return found


def latest(terminal_id: int) -> Comparison | None:
    """Return the newest comparison of a terminal, whatever its state, or None."""
    return _newest(Comparison.terminal_id == terminal_id)


def finished(terminal_id: int) -> Comparison | None:
    """Return the newest finished comparison of a terminal, or None. A plan is made from this one."""
    return _newest(Comparison.terminal_id == terminal_id, Comparison.state == DONE)


def reading(terminal_id: int) -> Comparison | None:
    """Return the comparison of a terminal that is being read, or None."""
    return _newest(Comparison.terminal_id == terminal_id, Comparison.state == READING)


def before(comparison: Comparison) -> Comparison | None:
    """Return the finished comparison of the same terminal before this one, or None."""
    mine = (Comparison.terminal_id == comparison.terminal_id, Comparison.state == DONE)
    statement = select(Comparison).where(*mine, Comparison.id < comparison.id).order_by(Comparison.id.desc()).limit(1)
    return db.session.execute(statement).scalar_one_or_none()


def _newest(*which: ColumnElement[bool]) -> Comparison | None:
    statement = select(Comparison).where(*which).order_by(Comparison.id.desc()).limit(1)
    found = db.session.execute(statement, execution_options={"populate_existing": True}).scalar_one_or_none()
    db.session.commit()
    return found


def is_left_alone() -> ColumnElement[bool]:
    """Return the condition that a person left a difference alone, and that the same is there still."""
    terminal = select(Comparison.terminal_id).where(Comparison.id == Difference.comparison_id).correlate(Difference)
    same = (LeftAlone.kind == Difference.kind, LeftAlone.number == Difference.number, LeftAlone.seen == Difference.seen)
    return exists().where(LeftAlone.terminal_id == terminal.scalar_subquery(), *same)


def shown(comparison: Comparison) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of the differences of a comparison that are not left alone."""
    return Difference.comparison_id == comparison.id, ~is_left_alone()


def counts(comparison: Comparison) -> Mapping[str, int]:
    """Return how many differences of each kind are shown, in the order of KINDS; those left alone are not counted."""
    statement = select(Difference.kind, func.count(Difference.id)).where(*shown(comparison)).group_by(Difference.kind)
    found = {kind: count for kind, count in db.session.execute(statement)}
    db.session.commit()
    return {kind: found.get(kind, 0) for kind in KINDS}


def count_left_alone(comparison: Comparison) -> int:
    """Return how many differences are hidden because a person left them alone."""
    hidden = select(func.count(Difference.id)).where(Difference.comparison_id == comparison.id, is_left_alone())
    found = db.session.execute(hidden).scalar_one()
    db.session.commit()
    return found


def rows(comparison: Comparison, kind: str, after: int = 0, limit: int = 50) -> list[Row]:
    """Return a page of the differences of one kind, those left alone excepted.

    :param after: the `id` of the last row that is already shown; 0 begins.
    """
    mine = (*shown(comparison), Difference.kind == kind, Difference.id > after)
    statement = select(Difference.id, Difference.number).where(*mine).order_by(Difference.id).limit(limit)
    found = db.session.execute(statement).all()
    facts = facts_of(comparison, [number for _, number in found])
    db.session.commit()
    return [Row(**vars(facts[number]), id=difference_id) for difference_id, number in found]


def facts_of(comparison: Comparison, numbers: Iterable[str]) -> dict[str, Facts]:
    """Return what is known of these numbers, in the open transaction; of any number, known or not."""
    wanted = list(numbers)
    found: dict[str, Facts] = {}
    for start in range(0, len(wanted), AT_ONCE):
        found |= _facts(comparison, wanted[start : start + AT_ONCE])
    return found


def _facts(comparison: Comparison, numbers: list[str]) -> dict[str, Facts]:
    terminal = db.session.get_one(Terminal, comparison.terminal_id, populate_existing=True)
    there = {one.number: one for one in _all(_people(comparison.id, numbers))}
    employees = {one.number: one for one in _all(select(Employee).where(Employee.number.in_(numbers)))}
    here = select(Enrolment).where(Enrolment.terminal_id == terminal.id, Enrolment.number.in_(numbers))
    enrolments = {one.number: one for one in _all(here.options(joinedload(Enrolment.employee)))}
    kinds: dict[str, set[str]] = {}
    different = select(Difference.number, Difference.kind).where(Difference.comparison_id == comparison.id)
    for number, kind in db.session.execute(different.where(Difference.number.in_(numbers))):
        kinds.setdefault(number, set()).add(kind)
    return {
        number: Facts(
            number,
            tuple(kind for kind in KINDS if kind in kinds.get(number, ())),
            there.get(number),
            enrolments.get(number),
            employees.get(number),
            name_wanted(terminal, employees.get(number)),
        )
        for number in numbers
    }


def name_wanted(terminal: Terminal, employee: Employee | None) -> str:
    """Return the name that a terminal gets, or the whole one where no form of it fits; "" for nobody."""
    if employee is None:
        return ""
    try:
        return name_for(terminal, employee.name, employee.terminal_name)
    except NameTooLong:
        return employee.name


def numbers(comparison: Comparison) -> Mapping[str, list[str]]:
    """Return the sorted numbers of each kind, those left alone excepted."""
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    statement = select(Difference.kind, Difference.number).where(*shown(comparison))
    for kind, number in db.session.execute(statement):
        found[kind].append(number)
    db.session.commit()
    return {kind: sorted(listed) for kind, listed in found.items()}


def person_there(comparison_id: int, number: str) -> PersonThere | None:
    """Return who has the number on the terminal, as this comparison read it, or None."""
    return next(iter(people(comparison_id, [number])), None)


def people(comparison_id: int, numbers: list[str]) -> list[PersonThere]:
    """Return who has these numbers on the terminal, as a comparison read them."""
    found: list[PersonThere] = []
    for start in range(0, len(numbers), AT_ONCE):
        found += _all(_people(comparison_id, numbers[start : start + AT_ONCE]))
    return found


def _people(comparison_id: int, numbers: list[str]) -> Select[PersonThere]:
    return select(PersonThere).where(and_(PersonThere.comparison_id == comparison_id, PersonThere.number.in_(numbers)))


def _all(statement: Select[Found]) -> list[Found]:
    return list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())
