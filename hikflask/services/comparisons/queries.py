"""Reads comparisons and what they found, always fresh from the database."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Row, Select, exists, func, select

from hikflask.extensions import db
from hikflask.models import Comparison, Difference, Employee, Enrolment, IgnoredDifference, PersonThere, Terminal
from hikflask.models.comparison import DONE, KINDS, ONLY_THERE, READING
from hikflask.models.enrolment import PRESENT
from hikflask.services.core.db import rows_of
from hikflask.services.core.errors import NameTooLong, NotFound
from hikflask.services.core.terminal_name import name_for
from hikflask.services.state import columns
from hikflask.services.state.columns import EmployeeColumns, EnrolmentColumns
from hikflask.services.state.enrolment import IS_LEAVING_UNINDEXED
from hikflask.text_rules import bare_number

Kinds = tuple[str, ...]
# A database takes only so many values in one statement.
AT_ONCE = 500
# Of more numbers than this, what differs is read in turn, without naming the numbers.
MANY = 5000
# In place of a SHA-256: the picture was not read by this comparison.
UNREAD = "unread"
# A longer name there is kept up to this length.
MAX_VALUE_LENGTH = 255


class There(NamedTuple):
    """Somebody on the terminal as a comparison read them: see PersonThere."""

    number: str
    name: str
    faces: int | None
    face_url: str | None
    face_sha256: str | None
    valid_there: str
    cards: int | None
    fingerprints: int | None


_THERE = tuple(getattr(PersonThere, name) for name in There._fields)


class ComparedNumber(NamedTuple):
    """A number in a comparison: all its kinds of difference, what is there, and what is desired here.

    `there` is None for a number that is only here, `enrolment` for one that was never desired here. `employee` is who
    has the number here, also when not desired on this terminal. `name_wanted` is the name that the terminal should
    show, "" for a stranger. `leaving` are the terminals at which the number may still open doors after its removal:
    whose it was there, by id, and the name of the terminal. `id` is that of the difference, in a list of differences.
    `own_number` is the number desired here of which the terminal shows this form, or an empty text.
    """

    number: str
    kinds: Kinds
    there: There | None
    enrolment: EnrolmentColumns | None
    employee: EmployeeColumns | None
    name_wanted: str
    leaving: tuple[tuple[int | None, str], ...]
    id: int = 0
    own_number: str = ""

    @property
    def face_here(self) -> str:
        """The SHA-256 of the employee's face here: of the photo that is desired on this terminal, else of the photo."""
        if self.employee is None:
            return ""
        desired = self.enrolment.photo_sha256 if self.enrolment and self.is_desired else ""
        return desired or self.employee.photo_sha256

    @property
    def is_desired(self) -> bool:
        """True when the number is desired on this terminal."""
        return self.enrolment is not None and self.enrolment.is_desired

    @property
    def has_another_face(self) -> bool:
        """True when both faces can be shown, and differ."""
        return self.another_face not in {"", UNREAD}

    @property
    def another_face(self) -> str:
        """The SHA-256 of the face on the terminal where the employee has another one here, else an empty text.

        UNREAD where nobody knows whether it is another one.
        """
        if not self.face_here or self.there is None or not self.there.face_url:
            return ""
        theirs = UNREAD if self.there.face_sha256 is None else self.there.face_sha256
        again = self.enrolment.face_there if self.enrolment and self.is_desired else ""
        photo = self.employee.photo_sha256 if self.employee else ""
        return "" if theirs in {self.face_here, again, photo} else theirs


def find_comparison(comparison_id: int) -> Comparison | None:
    """Return the comparison, or None."""
    return db.session.get(Comparison, comparison_id, populate_existing=True)


def get_comparison(comparison_id: int) -> Comparison:
    """Return the comparison.

    :raises comparison_unknown: when there is no such row.
    """
    comparison = find_comparison(comparison_id)
    if comparison is None:
        raise NotFound("comparison_unknown")
    return comparison


def latest(terminal_id: int) -> Comparison | None:
    """Return the newest comparison of a terminal, whatever its state, or None."""
    return _newest(terminal_id)


def finished(terminal_id: int) -> Comparison | None:
    """Return the newest finished comparison of a terminal, or None. A plan is made from this one."""
    return _newest(terminal_id, Comparison.state == DONE)


def reading(terminal_id: int) -> Comparison | None:
    """Return the comparison of a terminal that is being read, or None."""
    return _newest(terminal_id, Comparison.state == READING)


def before(comparison: Comparison) -> Comparison | None:
    """Return the finished comparison of the same terminal before this one, or None."""
    return _newest(comparison.terminal_id, Comparison.state == DONE, Comparison.id < comparison.id)


def _newest(terminal_id: int, *which: ColumnElement[bool]) -> Comparison | None:
    statement = select(Comparison).where(Comparison.terminal_id == terminal_id, *which)
    newest = statement.order_by(Comparison.id.desc()).limit(1)
    return db.session.execute(newest, execution_options={"populate_existing": True}).scalar_one_or_none()


def is_ignored() -> ColumnElement[bool]:
    """Return the condition that a person left a difference alone, and that the same is there still."""
    terminal = select(Comparison.terminal_id).where(Comparison.id == Difference.comparison_id).correlate(Difference)
    same = (
        IgnoredDifference.kind == Difference.kind,
        IgnoredDifference.number == Difference.number,
        IgnoredDifference.seen == Difference.seen,
    )
    return exists().where(IgnoredDifference.terminal_id == terminal.scalar_subquery(), *same)


def doubts(comparison: Comparison) -> list[str]:
    """Return the codes of what a finished comparison does not know for certain: people, faces, and who is who."""
    only_there = (Difference.comparison_id == comparison.id, Difference.kind == ONLY_THERE)
    strangers = db.session.execute(select(Difference.number).where(*only_there)).scalars().all()
    untold = exists().where(PersonThere.comparison_id == comparison.id, PersonThere.faces.is_(None))
    codes = {
        "list_leaves_out": comparison.people is None,
        "faces_not_told": db.session.execute(select(untold)).scalar_one(),
        "numbers_shown_otherwise": bool(own_numbers(comparison, strangers)),
    }
    return [code for code, is_so in codes.items() if is_so]


def shown(comparison: Comparison) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of the differences of a comparison that are not left alone."""
    return Difference.comparison_id == comparison.id, ~is_ignored()


def counts(comparison: Comparison) -> Mapping[str, int]:
    """Return how many differences of each kind are shown, in the order of KINDS; those left alone are not counted."""
    statement = select(Difference.kind, func.count(Difference.id)).where(*shown(comparison)).group_by(Difference.kind)
    counted = {kind: count for kind, count in db.session.execute(statement)}
    return {kind: counted.get(kind, 0) for kind in KINDS}


def differing_terminals() -> set[int]:
    """Return the ids of the terminals whose newest finished comparison shows a difference."""
    newest = select(func.max(Comparison.id)).where(Comparison.state == DONE).group_by(Comparison.terminal_id)
    differing = select(Comparison.terminal_id).join(Difference, Difference.comparison_id == Comparison.id)
    shown_ones = differing.where(Comparison.id.in_(newest), ~is_ignored()).distinct()
    return set(db.session.execute(shown_ones).scalars())


def count_ignored(comparison: Comparison) -> int:
    """Return how many differences are hidden because a person left them alone."""
    hidden = select(func.count(Difference.id)).where(Difference.comparison_id == comparison.id, is_ignored())
    return db.session.execute(hidden).scalar_one()


def list_differences(comparison: Comparison, kind: str, after: int = 0, limit: int = 50) -> list[ComparedNumber]:
    """Return a page of the differences of one kind, those left alone excepted.

    :param after: the `id` of the last row that is already shown; 0 begins.
    """
    which = (*shown(comparison), Difference.kind == kind, Difference.id > after)
    statement = select(Difference.id, Difference.number).where(*which).order_by(Difference.id).limit(limit)
    rows = db.session.execute(statement).all()
    compared = compared_numbers(comparison, [number for _, number in rows])
    return [compared[number]._replace(id=difference_id) for difference_id, number in rows]


def compared_numbers(comparison: Comparison, numbers: Iterable[str]) -> dict[str, ComparedNumber]:
    """Return what is known of these numbers, in the open transaction; of any number, known or not."""
    return {compared.number: compared for compared in iterate_compared(comparison, list(numbers))}


def iterate_compared(comparison: Comparison, numbers: Collection[str]) -> Iterator[ComparedNumber]:
    """Yield what is known of each number once, in no order; of very many, only a part is in memory at a time."""
    wanted = dict.fromkeys(numbers)
    if len(wanted) > MANY:
        different = _different(comparison)
        kinds = _by_number(different)
        for start in range(0, len(different), MANY):
            part = different[start : start + MANY]
            # Not of this comparison alone: SQLite would go through all of it for each part.
            which = select(Difference.number).where(Difference.id.between(part[0].id, part[-1].id))
            for compared in _compare(comparison, which, dict.fromkeys(row.number for row in part), kinds):
                if compared.number in wanted:  # A number with several differences may come twice.
                    del wanted[compared.number]
                    yield compared
    left = list(wanted)
    for start in range(0, len(left), AT_ONCE):
        some = left[start : start + AT_ONCE]
        # All kinds, so that the index is followed by number.
        kinds = _by_number(_different(comparison, Difference.kind.in_(KINDS), Difference.number.in_(some)))
        yield from _compare(comparison, some, some, kinds)


def _different(comparison: Comparison, *which: ColumnElement[bool]) -> Sequence[Row[int, str, str]]:
    statement = select(Difference.id, Difference.number, Difference.kind)
    return rows_of(statement.where(Difference.comparison_id == comparison.id, *which).order_by(Difference.id))


def _by_number(different: Iterable[Row[int, str, str]]) -> dict[str, Kinds]:
    """Return the kinds of each number, in the order of KINDS."""
    kinds: dict[str, Kinds] = {}
    for _, number, kind in different:
        kinds[number] = (*kinds.get(number, ()), kind)
    # Very many have the same kinds.
    in_order = {some: tuple(sorted(some, key=KINDS.index)) for some in set(kinds.values())}
    return {number: in_order[some] for number, some in kinds.items()}


def _compare(
    comparison: Comparison, which: list[str] | Select[str], numbers: Collection[str], kinds: Mapping[str, Kinds]
) -> Iterator[ComparedNumber]:
    terminal = db.session.get_one(Terminal, comparison.terminal_id, populate_existing=True)
    people = {person.number: person for person in there(comparison.id, PersonThere.number.in_(which))}
    here = (Enrolment.terminal_id == terminal.id, Enrolment.number.in_(which))
    enrolments = {enrolment.number: enrolment for enrolment in columns.enrolments(*here)}
    employees = {row.employee.number: row.employee for row in enrolments.values() if row.employee}
    if not employees.keys() >= set(numbers):
        employees |= {employee.number: employee for employee in columns.employees(Employee.number.in_(which))}
    leaving: dict[str, list[tuple[int | None, str]]] = defaultdict(list)
    left = select(Enrolment.number, Enrolment.employee_id, Terminal.name).join(Enrolment.terminal)
    for number, owner, name in rows_of(left.where(IS_LEAVING_UNINDEXED, Enrolment.number.in_(which))):
        leaving[number].append((owner, name))
    own = own_numbers(comparison, people.keys() - {number for number, row in enrolments.items() if row.is_desired})
    for number in numbers:
        employee = employees.get(number)
        yield ComparedNumber(
            number,
            kinds.get(number, ()),
            people.get(number),
            enrolments.get(number),
            employee,
            name_wanted(terminal, employee),
            tuple(leaving.get(number, ())),
            own_number=own.get(number, ""),
        )


def own_numbers(comparison: Comparison, strangers: Collection[str]) -> dict[str, str]:
    """Return which of these strangers is somebody desired here, and with which number.

    Some firmware shows a number without its leading zeros or in upper case, and removes that person when it is asked to
    remove the number that it shows.
    """
    if not strangers:
        return {}
    listed = exists().where(PersonThere.comparison_id == comparison.id, PersonThere.number == Enrolment.number)
    desired = (Enrolment.terminal_id == comparison.terminal_id, Enrolment.desired == PRESENT)
    missing = select(Enrolment.number).where(*desired, ~listed)
    by_form = {bare_number(number): number for number in db.session.execute(missing).scalars()}
    return {number: by_form[bare_number(number)] for number in strangers if bare_number(number) in by_form}


def there(comparison_id: int, *which: ColumnElement[bool]) -> Iterator[There]:
    """Yield the people on the terminal, as a comparison read them, in the open transaction."""
    return map(There._make, rows_of(select(*_THERE).where(PersonThere.comparison_id == comparison_id, *which)))


def name_wanted(terminal: Terminal, employee: Employee | EmployeeColumns | None) -> str:
    """Return the name that a terminal gets, or the whole one where no form of it fits; "" for nobody."""
    if employee is None:
        return ""
    try:
        return name_for(terminal, employee.name, employee.terminal_name)
    except NameTooLong:
        return employee.name


def numbers(comparison: Comparison) -> Mapping[str, list[str]]:
    """Return the sorted numbers of each kind, those left alone excepted."""
    listed: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for kind, number in db.session.execute(select(Difference.kind, Difference.number).where(*shown(comparison))):
        listed[kind].append(number)
    return {kind: sorted(numbers) for kind, numbers in listed.items()}


def person_there(comparison_id: int, number: str) -> There | None:
    """Return the person with this number on the terminal, as the comparison read it, or None."""
    return next(people(comparison_id, [number]), None)


def people(comparison_id: int, numbers: Sequence[str]) -> Iterator[There]:
    """Yield the people with these numbers on the terminal, as a comparison read them, in the open transaction."""
    for start in range(0, len(numbers), AT_ONCE):
        yield from there(comparison_id, PersonThere.number.in_(numbers[start : start + AT_ONCE]))
