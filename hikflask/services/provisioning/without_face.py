"""The employees who must come to the camera of a terminal: desired there, without a face, and none comes by itself."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, not_, or_, select
from sqlalchemy.orm import contains_eager

from hikflask.codes.badges import NOT_SENT
from hikflask.codes.refusals import FULL, PHOTO, codes
from hikflask.extensions import db
from hikflask.models import Capture, Employee, Enrolment, Photo, Terminal
from hikflask.models.columns import contains_text
from hikflask.models.enrolment import CONFIRMED, PENDING, PRESENT
from hikflask.models.terminal import BY_URL
from hikflask.services.employees.filters import MAX_SEARCH_LENGTH
from hikflask.services.enrolments import causes
from hikflask.services.state.enrolment import AWAITS_CORRECTION, AWAITS_RESTORE
from hikflask.services.terminals import capacity
from hikflask.text_rules import folded, storable

# In the words of the index ix_enrolment_faceless (see employees/filters.py).
_FACELESS = (
    Enrolment.desired == literal(PRESENT, literal_execute=True),
    Enrolment.face != literal(CONFIRMED, literal_execute=True),
)


@dataclass(frozen=True)
class Progress:
    """How far an enrolment session is: of so many people without a face when it began, so many are left."""

    left: int
    of: int

    @property
    def done(self) -> int:
        """How many are done."""
        return self.of - self.left


def progress(terminal: Terminal, of: int | None) -> Progress:
    """Return how far an enrolment session is that began with so many without a face, or begins now."""
    left = count(terminal)
    return Progress(left, max(left, of or 0))


def count(terminal: Terminal) -> int:
    """Return how many employees must come to the camera of a terminal."""
    return _count(_needs_the_camera(terminal), terminal)


def count_at(terminals: Iterable[Terminal]) -> dict[int, int]:
    """Return how many employees must come to the camera of each of these terminals, by its id, where there are some."""
    some = select(Terminal.id).where(exists().where(Enrolment.terminal_id == Terminal.id, *_FACELESS))
    ids = set(db.session.execute(some).scalars())
    counts = {terminal.id: count(terminal) for terminal in terminals if terminal.id in ids}
    return {terminal_id: number for terminal_id, number in counts.items() if number}


def count_by_itself(terminal: Terminal) -> int:
    """Return how many employees have no face there yet and get one without anybody's help."""
    return _count(_comes_by_itself(terminal), terminal)


def page(terminal: Terminal, words: str = "", after: int | None = None, limit: int = 50) -> list[Enrolment]:
    """Return the first enrolments whose employees must come, by name, with the employees: they may be deleted soon.

    The employee with exactly the searched number comes first, and not again among the others.

    :param words: of the name, the number or the department, in any case.
    :param after: the id of the employee after whom the page begins.
    """
    where = [*_without_face(terminal), _needs_the_camera(terminal)]
    where += [contains_text(Employee.search, word) for word in folded(words[:MAX_SEARCH_LENGTH]).split()]
    row = db.session.execute(select(Employee.search).where(Employee.id == (after or 0))).first()
    other = Employee.number != storable(words.strip())
    if row is not None:
        where += [other, or_(Employee.search > row.search, and_(Employee.search == row.search, Employee.id > after))]
    statement = select(Enrolment).join(Enrolment.employee).options(contains_eager(Enrolment.employee)).where(*where)
    at_first = (other.asc(),) if words else ()
    ordered = statement.order_by(*at_first, Employee.search, Employee.id).limit(limit)
    return list(db.session.execute(ordered, execution_options={"populate_existing": True}).scalars())


def next_after(terminal: Terminal, employee_id: int) -> Employee | None:
    """Return the next employee after this one by name; None at the end of the list."""
    return next((enrolment.employee for enrolment in page(terminal, after=employee_id, limit=1)), None)


def _count(condition: ColumnElement[bool], terminal: Terminal) -> int:
    statement = select(func.count()).select_from(Enrolment).join(Employee, Employee.id == Enrolment.employee_id)
    return db.session.execute(statement.where(*_without_face(terminal), condition)).scalar_one()


def _without_face(terminal: Terminal) -> tuple[ColumnElement[bool], ...]:
    return Enrolment.terminal_id == terminal.id, *_FACELESS


def _needs_the_camera(terminal: Terminal) -> ColumnElement[bool]:
    """Return the condition on Enrolment: no face comes by itself, nor as soon as the terminal has room for it, nor is
    the person refused for what no photo mends.
    """
    lacks_capacity = Enrolment.refusal_code.in_(capacity.CODES)
    other_cause = and_(causes.IS_REFUSED, causes.CAUSE.not_in((PHOTO, FULL, *codes(badge=NOT_SENT))))
    return not_(or_(_comes_by_itself(terminal), and_(lacks_capacity, _can_be_sent(terminal)), other_cause))


def _comes_by_itself(terminal: Terminal) -> ColumnElement[bool]:
    """Return the condition on Enrolment: it is tried, or will be after a restore or once the terminal's password is
    corrected, and has a face that can be sent.
    """
    tried = or_(Enrolment.next_attempt_at.is_not(None), Enrolment.step != "", AWAITS_RESTORE, AWAITS_CORRECTION)
    return and_(Enrolment.face == PENDING, tried, _can_be_sent(terminal))


def _can_be_sent(terminal: Terminal) -> ColumnElement[bool]:
    """Return the condition that the terminal takes the face: a picture, or one captured at this very device."""
    if terminal.face_mode != BY_URL:
        photo_id = case((AWAITS_RESTORE, Employee.photo_id), else_=Enrolment.photo_id)
        return select(Photo.id).where(Photo.id == photo_id, Photo.forgotten_at.is_(None)).exists()
    captured = select(Capture.id).where(Capture.photo_id == Enrolment.photo_id, Capture.terminal_id == terminal.id)
    if terminal.device_changed_at is not None:
        captured = captured.where(Capture.created_at > terminal.device_changed_at)
    return captured.where(Capture.face_url.is_not(None)).exists()
