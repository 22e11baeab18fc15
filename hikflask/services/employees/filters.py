"""Filters and orders of lists of employees: the same for pages, API and jobs for many employees.

The states of active employees are facts about what the terminals confirmed, so an employee may be in two of them
(confirmed at one terminal, refused at another): the words are those of `GET /api/users/?state=`.
"""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    ScalarSelect,
    Select,
    UnaryExpression,
    and_,
    func,
    literal,
    or_,
    select,
    union,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from hikflask.models import Consent, Employee, EmployeeCount, Enrolment, Terminal
from hikflask.models.columns import contains_text
from hikflask.models.enrolment import CONFIRMED, LEAVING, PRESENT, REFUSED, WAITING
from hikflask.services.departments import registry as departments
from hikflask.services.employees import word_index
from hikflask.services.state.enrolment import IS_LEAVING, IS_THERE, is_in
from hikflask.text_rules import folded, storable

ON_TERMINALS = "on_terminals"
NO_FACE = "no_face"
LEFT = "left"
# For an enrolment's state, employees who have an enrolment in it.
STATES = (ON_TERMINALS, NO_FACE, WAITING, REFUSED, LEAVING, LEFT)

# Names are sorted by the folded search text, so that Cyrillic sorts right.
SORTS: dict[str, tuple[UnaryExpression[Any], ...]] = {
    "name": (Employee.search.asc(), Employee.id.asc()),
    "-name": (Employee.search.desc(), Employee.id.desc()),
    "number": (Employee.number.asc(),),
    "department": (Employee.department.asc(), Employee.search.asc(), Employee.id.asc()),
    "created_at": (Employee.created_at.asc(), Employee.id.asc()),
    "-created_at": (Employee.created_at.desc(), Employee.id.desc()),
}
BY_NAME = ("name", "-name")
# A statement for ids of employees.
Ids = Select[Any] | CompoundSelect[Any]
GIVEN, MISSING = CONSENTS = ("given", "missing")
# In characters. The searched text is not longer, and databases limit the number of conditions in a query.
MAX_SEARCH_LENGTH = 300

# Written into the statement, not sent beside it: a database finds an index on some rows only by the words themselves.
_PRESENT, _CONFIRMED, _NO_STEP = (literal(word, literal_execute=True) for word in (PRESENT, CONFIRMED, ""))
WANTED = Enrolment.desired == _PRESENT
# What is confirmed and yet not green: at a terminal that was not checked since.
IS_CONFIRMED, IS_WAITING, IS_REFUSED = (is_in(state) for state in (CONFIRMED, WAITING, REFUSED))
_UNCHECKED_TERMINALS = select(Terminal.id).where(~Terminal.is_checked)
IS_UNCHECKED = and_(
    _UNCHECKED_TERMINALS.exists(),  # Asked once; where there is none, as mostly, no enrolment is read.
    # Not told by the state, of which there are so many that SQLite would go through all of them.
    WANTED,
    Enrolment.person == _CONFIRMED,
    Enrolment.face == _CONFIRMED,
    Enrolment.terminal_id.in_(_UNCHECKED_TERMINALS),
)
IS_TRIED = or_(Enrolment.next_attempt_at.is_not(None), Enrolment.step != _NO_STEP)
# The enrolments because of which an employee is waiting, or refused.
WAITS = ([IS_WAITING], [IS_UNCHECKED, IS_TRIED])
STOPPED = ([IS_REFUSED], [IS_UNCHECKED, ~IS_TRIED])
_NOT_GREEN = ([IS_WAITING], [IS_REFUSED], [IS_UNCHECKED])
# A person who was sent without a face needs no correction, and counts as no face.
IS_PERSON_ONLY = and_(Enrolment.person == _CONFIRMED, func.coalesce(Enrolment.photo_id, 0) == 0)


@dataclass(frozen=True)
class EmployeeFilter:
    """The conditions of a list, and its order. An empty value is no condition.

    `terminal` is a terminal's id: employees who are desired there or have to leave it; with a state of an enrolment
    (waiting, refused, leaving) employees in that state at this terminal. `consent` is given or missing; employees who
    left count as missing only with the states leaving and left.

    `absent_from` is a terminal's id: active employees who are not desired there. `had` is a terminal's id: active
    employees who are desired there, or were until the terminal was taken out of service for good.
    """

    q: str = ""
    state: str = ""
    department: str = ""
    terminal: int | None = None
    consent: str = ""
    sort: str = "name"
    absent_from: int | None = None
    had: int | None = None


def conditions(wanted: EmployeeFilter, *, each: bool = False) -> list[ColumnElement[bool]]:
    """Return the conditions on Employee. The callers check that `state` and `consent` are valid words.

    :param each: True for a statement that reads few employees in order: look each of them up. False for a statement
        that needs all of them: gather the employees in a state first.
    """
    words = words_of(wanted)
    where: list[ColumnElement[bool]] = [contains_text(Employee.search, word) for word in words if each]
    if words and not each:
        where.append(Employee.id.in_(word_index.ids(words)))
    if wanted.department:
        typed = storable(wanted.department)
        where.append(Employee.department == func.coalesce(departments.stored_name(typed).scalar_subquery(), typed))
    if wanted.consent:
        where.append(and_(Employee.has_consent) if wanted.consent == GIVEN else ~Employee.has_consent)
        # Employees who left need no consent any more.
        if wanted.consent == MISSING and wanted.state not in {LEAVING, LEFT}:
            where.append(and_(Employee.is_active))
    if wanted.state:
        where.append(in_state(wanted.state, wanted.terminal, each=each))
    # The other states are already meant of this terminal.
    if wanted.terminal is not None and wanted.state in {"", NO_FACE, LEFT}:
        where.append(_has(IS_THERE, Enrolment.terminal_id == wanted.terminal, each=each))
    if wanted.absent_from is not None:
        where += [and_(Employee.is_active), ~_has(WANTED, Enrolment.terminal_id == wanted.absent_from, each=each)]
    if wanted.had is not None:
        retired_at = select(Terminal.retired_at).where(Terminal.id == wanted.had).scalar_subquery()
        # The retirement of a terminal changes the desired state of those alone who were desired there.
        was_had = or_(WANTED, and_(Enrolment.confirmation_note != "", Enrolment.desired_since >= retired_at))
        where += [and_(Employee.is_active), _has(was_had, Enrolment.terminal_id == wanted.had, each=each)]
    return where


def words_of(wanted: EmployeeFilter) -> list[str]:
    """Return the folded words that are searched for, each once."""
    return list(dict.fromkeys(folded(wanted.q[:MAX_SEARCH_LENGTH]).split()))


def sources(wanted: EmployeeFilter) -> list[Ids]:
    """Return the statements that each read an index for the ids of employees, among whom are all who pass the filter.

    The index of words is separate: services/employees/word_index.py.
    """
    statements: list[Ids] = []
    if wanted.state == LEFT:
        statements.append(select(Employee.id).where(~Employee.is_active))
    if wanted.state == NO_FACE:
        statements.append(select(Employee.id).where(Employee.is_active, ~Employee.has_face))
    if wanted.state in {WAITING, REFUSED, LEAVING}:
        statements.append(_ids_among(*_kinds(wanted.state, _at(wanted.terminal))))
    elif wanted.terminal is not None:
        here = (IS_THERE, Enrolment.terminal_id == wanted.terminal, Enrolment.employee_id.is_not(None))
        statements.append(select(Enrolment.employee_id).where(*here))
    if wanted.consent == GIVEN:
        statements.append(select(Consent.employee_id))
    if wanted.consent == MISSING and wanted.state not in {LEAVING, LEFT}:
        statements.append(select(Employee.id).where(Employee.is_active, ~Employee.has_consent))
    return statements


def counted(wanted: EmployeeFilter) -> Select[int]:
    """Return the statement that counts the employees who pass a filter. Counts that the database keeps are used."""
    alone = _COUNTED_ALONE.get(replace(wanted, sort=EmployeeFilter.sort))
    if alone is not None:
        return select(alone)
    if wanted.terminal is not None and wanted == EmployeeFilter(terminal=wanted.terminal, sort=wanted.sort):
        here = (IS_THERE, Enrolment.terminal_id == wanted.terminal, Enrolment.employee_id.is_not(None))
        each = select(Enrolment.employee_id).where(*here).distinct()
        return select(func.count()).select_from(each.subquery())
    words = words_of(wanted)
    if words and wanted == EmployeeFilter(q=wanted.q, sort=wanted.sort):
        return select(func.count()).select_from(word_index.ids(words).subquery())
    return select(func.count()).select_from(Employee).where(*conditions(wanted))


def in_state(state: str, terminal_id: int | None = None, *, each: bool = False) -> ColumnElement[bool]:
    """Return the condition on Employee for one of STATES; `each` as in conditions()."""
    if state == LEFT:
        return ~Employee.is_active
    if state == NO_FACE:
        return and_(Employee.is_active, ~Employee.has_face)
    among = _has_one_of if each else _is_among
    if state == ON_TERMINALS:
        at_this = Enrolment.terminal_id == terminal_id
        there = Employee.has_face if terminal_id is None else _has(WANTED, at_this, each=each)
        return and_(Employee.is_active, there, ~among(*_NOT_GREEN))
    in_this = among(*_kinds(state, _at(terminal_id)))
    return in_this if state == LEAVING else and_(Employee.is_active, in_this)


def each_once(wanted: EmployeeFilter, most: int) -> Select[Any] | None:
    """Return a statement for the ids of employees in a state, each once, or None when there is no state, or another
    condition beside a terminal at which they are in it.

    It reads along an index, and may stop after `most` of them.
    """
    state, terminal_id = wanted.state, wanted.terminal
    if not state or wanted != EmployeeFilter(state=state, terminal=terminal_id, sort=wanted.sort):
        return None
    if terminal_id is not None and state in {NO_FACE, LEFT}:
        return None
    where: list[ColumnElement[bool]] = [Enrolment.employee_id.is_not(None)]
    if state not in {WAITING, REFUSED, LEAVING}:
        return select(Employee.id).where(in_state(state, terminal_id, each=True))
    if state != LEAVING:
        where.append(select(Employee.is_active).where(Employee.id == Enrolment.employee_id).scalar_subquery())
    # Each kind of enrolments is read along its index.
    kinds = (_each_once(*where, *facts, most=most) for facts in _kinds(state, _at(terminal_id)))
    return select(union(*kinds).subquery())


def _each_once(*facts: ColumnElement[bool], most: int) -> Select[Any]:
    each = select(Enrolment.employee_id).where(*facts).distinct().order_by(Enrolment.employee_id).limit(most + 1)
    return select(each.subquery())


def _at(terminal_id: int | None) -> list[ColumnElement[bool]]:
    # As a sum, so that the database begins with the few in the state and not with all at the terminal.
    return [] if terminal_id is None else [Enrolment.terminal_id + 0 == terminal_id]


def _kinds(state: str, here: list[ColumnElement[bool]]) -> list[list[ColumnElement[bool]]]:
    """Return the kinds of enrolments because of which an employee is leaving, waiting or refused."""
    if state == LEAVING:
        return [[IS_LEAVING, *here]]
    if state == WAITING:
        return [[*facts, *here] for facts in WAITS]
    # A person without a face at one terminal needs somebody to act only where the face is at another one.
    other = aliased(Employee)
    without_face = select(and_(other.is_active, ~other.has_face)).where(other.id == Enrolment.employee_id)
    refused, unchecked = STOPPED
    return [[*refused, or_(~IS_PERSON_ONLY, ~without_face.scalar_subquery()), *here], [*unchecked, *here]]


def _has(*facts: ColumnElement[bool], each: bool = False) -> ColumnElement[bool]:
    """Return the condition that an employee has such an enrolment; `each` as in conditions()."""
    own = select(Enrolment.id).where(Enrolment.employee_id == Employee.id, *facts)
    # PostgreSQL may gather all that exist first; a count it looks up for each.
    return own.with_only_columns(func.count()).scalar_subquery() > 0 if each else own.exists()


def _has_one_of(*kinds: list[ColumnElement[bool]]) -> ColumnElement[bool]:
    """Return the condition that an employee has an enrolment of one of these kinds, looked up for each."""
    # Where no terminal is unchecked, as mostly, no enrolment is looked up for that.
    first = [[_UNCHECKED_TERMINALS.exists()] if any(fact is IS_UNCHECKED for fact in facts) else [] for facts in kinds]
    return or_(*(and_(*before, _has(*facts, each=True)) for before, facts in zip(first, kinds, strict=True)))


def _is_among(*kinds: list[ColumnElement[bool]]) -> ColumnElement[bool]:
    """Return the condition that an employee has an enrolment of one of these kinds, which are gathered at once."""
    return Employee.id.in_(_ids_among(*kinds))


def _ids_among(*kinds: list[ColumnElement[bool]]) -> CompoundSelect[int]:
    has_employee = Enrolment.employee_id.is_not(None)
    return union_all(*(select(Enrolment.employee_id).where(has_employee, *facts) for facts in kinds))


def _kept(column: InstrumentedAttribute[int]) -> ScalarSelect[int]:
    """Return a count that the database keeps."""
    return select(func.coalesce(func.sum(column), 0)).scalar_subquery()


PEOPLE, ACTIVE = _kept(EmployeeCount.people), _kept(EmployeeCount.active)
_WITH_FACE = (Employee.is_active, Employee.has_face)
NOT_GREEN = _ids_among(*_NOT_GREEN)
_FACES_NOT_GREEN = select(func.count()).select_from(Employee).where(*_WITH_FACE, _is_among(*_NOT_GREEN))
_COUNTED_ALONE: dict[EmployeeFilter, ColumnElement[int]] = {
    EmployeeFilter(): PEOPLE,
    EmployeeFilter(state=LEFT): PEOPLE - ACTIVE,
    EmployeeFilter(state=NO_FACE): _kept(EmployeeCount.no_face),
    EmployeeFilter(consent=GIVEN): _kept(EmployeeCount.consents),
    EmployeeFilter(consent=MISSING): _kept(EmployeeCount.no_consent),
    EmployeeFilter(state=ON_TERMINALS): ACTIVE - _kept(EmployeeCount.no_face) - _FACES_NOT_GREEN.scalar_subquery(),
}
# The counts that the database keeps, which cost nothing.
KEPT = frozenset(wanted for wanted in _COUNTED_ALONE if wanted.state != ON_TERMINALS)
