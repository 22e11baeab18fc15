"""Which employees a list shows, and in which order: the same filters for pages, API and work on many employees.

The states of those who are active are facts about what the terminals confirmed, so an employee may be in two of them
(confirmed at one terminal, refused at another): the words are those of `GET /api/users/?state=`.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, UnaryExpression, and_, or_, select

from hikflask.models import Consent, Employee, Enrolment, Terminal
from hikflask.models.columns import storable
from hikflask.models.employee import folded
from hikflask.models.enrolment import ABSENT, CONFIRMED, PRESENT

ON_TERMINALS = "on_terminals"
NO_FACE = "no_face"
WAITING = "waiting"
REFUSED = "refused"
LEAVING = "leaving"
LEFT = "left"
STATES = (ON_TERMINALS, NO_FACE, WAITING, REFUSED, LEAVING, LEFT)

SORTS: dict[str, tuple[UnaryExpression[Any], ...]] = {
    "name": (Employee.search.asc(), Employee.id.asc()),
    "-name": (Employee.search.desc(), Employee.id.desc()),
    "number": (Employee.number.asc(),),
    "department": (Employee.department.asc(), Employee.search.asc(), Employee.id.asc()),
    "created_at": (Employee.created_at.asc(), Employee.id.asc()),
    "-created_at": (Employee.created_at.desc(), Employee.id.desc()),
}
CONSENTS = ("given", "missing")
# In characters. The searched text is not longer, and databases limit the number of conditions in a query.
LONGEST_SEARCH = 300

WANTED = Enrolment.desired == PRESENT
IS_LEAVING = and_(Enrolment.desired == ABSENT, Enrolment.person != CONFIRMED)
IS_GREEN = and_(
    WANTED,
    Enrolment.person == CONFIRMED,
    Enrolment.face == CONFIRMED,
    Enrolment.terminal_id.in_(select(Terminal.id).where(Terminal.face_mode.is_not(None))),
)
HAS_FACE = and_(WANTED, Enrolment.photo_id.is_not(None))
IS_WAITING = and_(WANTED, ~IS_GREEN, or_(Enrolment.next_attempt_at.is_not(None), Enrolment.step != ""))
# Nothing is tried any more; a person sent without a face is nobody's mistake, and counts as no face.
IS_STOPPED = and_(WANTED, ~IS_GREEN, Enrolment.next_attempt_at.is_(None), Enrolment.step == "")
IS_PERSON_ONLY = and_(Enrolment.person == CONFIRMED, Enrolment.photo_id.is_(None))


@dataclass(frozen=True)
class EmployeeFilter:
    """What a list is narrowed to, and its order. An empty value narrows nothing.

    `terminal` is a terminal's id: who is wanted there or has to leave it; with a state of an enrolment (waiting,
    refused, leaving) who is in that state at this terminal. `consent` is given or missing.
    """

    q: str = ""
    state: str = ""
    department: str = ""
    terminal: int | None = None
    consent: str = ""
    sort: str = "name"


def conditions(wanted: EmployeeFilter) -> list[ColumnElement[bool]]:
    """Return the conditions on Employee; `state` and `consent` are known words (the callers check that)."""
    found = [Employee.search.contains(word, autoescape=True) for word in folded(wanted.q[:LONGEST_SEARCH]).split()]
    if wanted.department:
        found.append(Employee.department == storable(wanted.department))
    if wanted.consent:
        given = Employee.id.in_(select(Consent.employee_id))
        found.append(given if wanted.consent == "given" else ~given)
    if wanted.state:
        found.append(in_state(wanted.state, wanted.terminal))
    if wanted.terminal is not None:
        found.append(_has(or_(WANTED, IS_LEAVING), Enrolment.terminal_id == wanted.terminal))
    return found


def order(wanted: EmployeeFilter) -> tuple[UnaryExpression[Any], ...]:
    """Return the columns to sort by; names as the folded search text, so that Cyrillic sorts right."""
    return SORTS[wanted.sort]


def in_state(state: str, terminal_id: int | None = None) -> ColumnElement[bool]:
    """Return the condition on Employee for one of STATES."""
    here = [] if terminal_id is None else [Enrolment.terminal_id == terminal_id]
    if state == LEFT:
        return ~Employee.is_active
    if state == LEAVING:
        return _has(IS_LEAVING, *here)
    return and_(Employee.is_active, _of_active(state, here))


def _of_active(state: str, here: list[ColumnElement[bool]]) -> ColumnElement[bool]:
    if state == ON_TERMINALS:
        return and_(_has(WANTED, *here), ~_has(WANTED, ~IS_GREEN))
    if state == NO_FACE:
        return ~_has(HAS_FACE)
    if state == WAITING:
        return _has(IS_WAITING, *here)
    # A person without a face at one terminal needs somebody to act only where the face is at another one.
    return or_(_has(IS_STOPPED, ~IS_PERSON_ONLY, *here), and_(_has(IS_STOPPED, *here), _has(HAS_FACE)))


def _has(*facts: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(Enrolment.id).where(Enrolment.employee_id == Employee.id, *facts).exists()
