"""People who need a person: one row for each cause and terminal, with how many they are.

A cause is one of services/enrolments/causes.py, or LINGERING_ACCESS. No more than MAX_COUNTED + 1 enrolments in a state
are read of a terminal, along the index ix_enrolment_listed_at, those that have been so for longest.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import groupby

from sqlalchemy import Select, Subquery, bindparam, exists, func, literal, select, union_all
from sqlalchemy.orm import joinedload

from hikflask.codes.refusals import CHANGED, FORM, FULL, LEFT_ALONE, PHOTO, TAKEN
from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Terminal
from hikflask.models.enrolment import REFUSED
from hikflask.services.attention import lingering_access
from hikflask.services.attention.lingering_access import LingeringAccess
from hikflask.services.core.db import MAX_COUNTED
from hikflask.services.employees import search
from hikflask.services.employees.filters import WANTED
from hikflask.services.enrolments import causes
from hikflask.services.enrolments.causes import LEAVING
from hikflask.services.state.enrolment import REFUSAL_CODE, ROWS, TERMINALS, is_in

LINGERING_ACCESS = "left_there"
# The worst first; every other cause follows in the order of its word.
ORDER = (LEAVING, LINGERING_ACCESS, PHOTO, TAKEN, CHANGED, LEFT_ALONE, FORM, FULL)
# In a list of its own: on no terminal, and without a photo.
NO_TERMINAL = "no_terminal"
# Of so many people of a row the faces are shown.
MAX_FACES = 4
# So many parts are joined in one statement; SQLite takes 500.
MAX_PARTS = 100
# And so many to show people: as many as the page mostly shows, since it takes long to make a statement of more.
MAX_SHOWN_PARTS = 10
# So many employees without a photo are looked at: those who are on a terminal are among them.
MAX_LOOKED_AT = 5 * MAX_COUNTED
_NO_FACE = (
    select(Employee.id).where(Employee.is_active, ~Employee.has_face).order_by(Employee.id).limit(MAX_LOOKED_AT)
).subquery()
NOWHERE = select(_NO_FACE.c.id).where(~exists().where(Enrolment.employee_id == _NO_FACE.c.id, WANTED))


def at_each() -> Select[int, int, int]:
    """Select how many are leaving and how many are refused at each terminal, up to MAX_COUNTED + 1."""
    here = select(ROWS.c.id).where(ROWS.c.terminal_id == TERMINALS.c.id).correlate(TERMINALS)
    states = (LEAVING, REFUSED)
    some = (here.where(is_in(state)).limit(MAX_COUNTED + 1).subquery() for state in states)
    counts = (select(func.count()).select_from(one).scalar_subquery() for one in some)
    return select(TERMINALS.c.id, *(count.label(state) for count, state in zip(counts, states, strict=True)))


# Made once, as each page asks it: to make a statement costs more than to run it.
AT_EACH = at_each()


@dataclass(frozen=True)
class PeopleProblem:
    """What is wrong with some people at a terminal: a cause, and how many they are.

    `count` is at most MAX_COUNTED + 1; with `has_more`, not all at the terminal were looked at, so they may be more.
    `people`: of the cause LINGERING_ACCESS, who they are.
    """

    cause: str
    terminal: Terminal
    count: int
    has_more: bool = False
    people: Sequence[LingeringAccess] = field(default=(), repr=False)

    @property
    def is_bad(self) -> bool:
        """True where somebody may still open a door who must not."""
        return self.cause in {LEAVING, LINGERING_ACCESS}


@dataclass(frozen=True)
class ProblemWithPeople:
    """A problem with the first people of it: their enrolments, those first that have been so for longest, or
    themselves, of the cause LINGERING_ACCESS.
    """

    problem: PeopleProblem
    enrolments: Sequence[Enrolment]
    employees: Sequence[Employee]

    @property
    def each(self) -> list["ProblemWithPeople"]:
        """Each of these people alone."""
        of_enrolments = [
            ProblemWithPeople(replace(self.problem, count=1), [enrolment], ()) for enrolment in self.enrolments
        ]
        people = {person.employee_id: person for person in self.problem.people}
        return of_enrolments or [
            ProblemWithPeople(replace(self.problem, count=1, people=[people[employee.id]]), (), [employee])
            for employee in self.employees
        ]


def find(terminals: Sequence[Terminal], working: Collection[int]) -> list[PeopleProblem]:
    """Return the rows, the worst cause first, then by the name of the terminal.

    :param terminals: all of them. :param working: the ids of those at which somebody can be enrolled; at the others
        only those who are leaving are looked for.
    """
    known = {terminal.id: terminal for terminal in terminals}
    rows = db.session.execute(AT_EACH).all()
    problems = [PeopleProblem(LEAVING, known[row.id], row.leaving) for row in rows if row.leaving]
    refused = {row.id: row.refused for row in rows if row.refused and row.id in working}
    for (terminal_id, cause), count in _counted([*refused]).items():
        has_more = count <= MAX_COUNTED < refused[terminal_id]
        problems.append(PeopleProblem(cause, known[terminal_id], count, has_more))
    for terminal_id, group in groupby(lingering_access.find(), key=lambda person: person.terminal_id):
        people = list(group)
        problems.append(PeopleProblem(LINGERING_ACCESS, known[terminal_id], len(people), people=people))
    places = {cause: place for place, cause in enumerate(ORDER)}
    return sorted(problems, key=lambda one: (places.get(one.cause, len(ORDER)), one.cause, one.terminal.name))


def shown(problems: Sequence[PeopleProblem]) -> list[ProblemWithPeople]:
    """Return problems with the first people of each."""
    by_enrolment = [problem for problem in problems if problem.cause != LINGERING_ACCESS]
    first: dict[tuple[str, int], list[Enrolment]] = {}
    for start in range(0, len(by_enrolment), MAX_SHOWN_PARTS):
        first |= _first(by_enrolment[start : start + MAX_SHOWN_PARTS])
    return [
        _with_employees(problem, MAX_FACES)
        if problem.cause == LINGERING_ACCESS
        else ProblemWithPeople(problem, first.get((problem.cause, problem.terminal.id), ()), ())
        for problem in problems
    ]


def everybody(cause: str, terminal: Terminal) -> ProblemWithPeople:
    """Return all people of a cause at a terminal, as far as they are counted."""
    if cause == LINGERING_ACCESS:
        people = [person for person in lingering_access.find() if person.terminal_id == terminal.id]
        return _with_employees(PeopleProblem(cause, terminal, len(people), people=people), MAX_COUNTED)
    enrolments = causes.everybody(cause, terminal.id, MAX_COUNTED + 1)
    return ProblemWithPeople(PeopleProblem(cause, terminal, len(enrolments)), enrolments[:MAX_COUNTED], ())


def without_terminal(limit: int) -> list[Employee]:
    """Return the first employees who have no photo and are on no terminal."""
    statement = select(Employee).where(Employee.id.in_(NOWHERE.limit(limit))).options(joinedload(Employee.photo))
    return list(db.session.execute(statement.order_by(Employee.id)).scalars())


def _with_employees(problem: PeopleProblem, limit: int) -> ProblemWithPeople:
    ids = [person.employee_id for person in problem.people[:limit]]
    return ProblemWithPeople(problem, (), search.of_ids(ids, enrolments=False))


def _counted(terminal_ids: Sequence[int]) -> dict[tuple[int, str], int]:
    """Return how many refused enrolments there are at these terminals, by terminal and cause."""
    counts: dict[tuple[int, str], int] = defaultdict(int)
    for start in range(0, len(terminal_ids), MAX_PARTS):
        chunk = terminal_ids[start : start + MAX_PARTS]
        at_each = {f"at_{place}": terminal_id for place, terminal_id in enumerate(chunk)}
        for row in db.session.execute(_counting(len(chunk)), at_each):
            counts[row.terminal_id, causes.of(row.person, row.code)] += row.number
    return counts


# Made once, as each page asks it: to make a statement costs more than to run it.
@lru_cache(maxsize=MAX_PARTS)
def _counting(terminals: int) -> Select[int, str, str, int]:
    some = union_all(*(select(_some(REFUSED, place)) for place in range(terminals))).subquery()
    kinds = (some.c.terminal_id, some.c.person, some.c.code)
    return select(*kinds, func.count().label("number")).group_by(*kinds)


def _first(problems: Sequence[PeopleProblem]) -> dict[tuple[str, int], list[Enrolment]]:
    """Return the first enrolments of each problem, with employees and photos."""
    statement = _choosing(tuple(LEAVING if problem.cause == LEAVING else REFUSED for problem in problems))
    about: dict[str, int | str] = {f"at_{place}": problem.terminal.id for place, problem in enumerate(problems)}
    about |= {f"cause_{place}": problem.cause for place, problem in enumerate(problems)}
    found = {enrolment_id: cause for enrolment_id, cause in db.session.execute(statement, about)}
    rows = select(Enrolment).where(Enrolment.id.in_(found)).order_by(*causes.ORDER)
    rows = rows.options(causes.WITH_PHOTO)
    first: dict[tuple[str, int], list[Enrolment]] = defaultdict(list)
    for enrolment in db.session.execute(rows, execution_options={"populate_existing": True}).scalars():
        first[found[enrolment.id], enrolment.terminal_id].append(enrolment)
    return first


@lru_cache(maxsize=64)
def _choosing(states: tuple[str, ...]) -> Select[int, str]:
    parts = []
    for place, state in enumerate(states):
        some = _some(state, place)
        cause = literal(LEAVING) if state == LEAVING else causes.column_of(some.c.person, some.c.code)
        of_cause = cause == bindparam(f"cause_{place}")
        parts.append(select(some.c.id, cause.label("cause")).where(of_cause).limit(MAX_FACES).subquery())
    return select(union_all(*map(select, parts)).subquery())


def _some(state: str, place: int) -> Subquery:
    """Return those in a state who are looked at, at the terminal that is the parameter `at_{place}`."""
    there = (ROWS.c.terminal_id == bindparam(f"at_{place}"), is_in(state))
    some = select(ROWS.c.terminal_id, ROWS.c.id, ROWS.c.person, REFUSAL_CODE.label("code")).where(*there)
    return some.order_by(ROWS.c.changed_at, ROWS.c.id).limit(MAX_COUNTED + 1).subquery()
