"""Who must come to the camera of a terminal: desired there, without a face, and none comes there by itself."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, not_, or_, select

from hikflask.extensions import db
from hikflask.models import Capture, Employee, Enrolment, Photo, Terminal
from hikflask.models.columns import contains_text
from hikflask.models.enrolment import CONFIRMED, PENDING, PRESENT
from hikflask.models.terminal import BY_URL
from hikflask.services.employees.filters import MAX_SEARCH_LENGTH
from hikflask.services.state.enrolment import AWAITS_CORRECTION, AWAITS_RESTORE
from hikflask.services.terminals import capacity
from hikflask.text_rules import folded

# In the words of the index ix_enrolment_faceless, see services/employees/filters.py.
_WANTED = Enrolment.desired == literal(PRESENT, literal_execute=True)
_FACELESS = Enrolment.face != literal(CONFIRMED, literal_execute=True)


@dataclass(frozen=True)
class Progress:
    """How far a round is: of so many people who had no face there when it began, so many have one or get one now."""

    left: int
    of: int

    @property
    def done(self) -> int:
        """How many are done."""
        return self.of - self.left


def progress(terminal: Terminal, of: int | None) -> Progress:
    """Return how far a round is.

    :param of: how many had no face there when it began; None: it begins now. There may be more of them since.
    """
    left = count(terminal)
    return Progress(left, max(left, of or 0))


def count(terminal: Terminal) -> int:
    """Return how many must come to the camera of a terminal."""
    return _count(_needs_the_camera(terminal), terminal)


def count_by_itself(terminal: Terminal) -> int:
    """Return how many have no face there yet and get one without anybody's help."""
    return _count(_comes_by_itself(terminal), terminal)


def page(terminal: Terminal, words: str = "", after: int | None = None, limit: int = 50) -> list[Enrolment]:
    """Return the first who must come, by name.

    :param words: of the name, the number or the department, in any case.
    :param after: the id of the employee after whom the page begins.
    """
    found = [contains_text(Employee.search, word) for word in folded(words[:MAX_SEARCH_LENGTH]).split()]
    statement = _must_come(terminal).where(*found, *_after(after)).limit(limit)
    return list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())


def next_after(terminal: Terminal, employee_id: int) -> Employee | None:
    """Return who is next after this employee by name; None at the end of the list."""
    found = page(terminal, after=employee_id, limit=1)
    return found[0].employee if found else None


def _count(condition: ColumnElement[bool], terminal: Terminal) -> int:
    statement = select(func.count()).select_from(Enrolment).join(Employee, Employee.id == Enrolment.employee_id)
    here = (Enrolment.terminal_id == terminal.id, _WANTED, _FACELESS)
    return db.session.execute(statement.where(*here, condition)).scalar_one()


def _must_come(terminal: Terminal) -> Select[Enrolment]:
    here = (Enrolment.terminal_id == terminal.id, _WANTED, _FACELESS, _needs_the_camera(terminal))
    statement = select(Enrolment).join(Employee, Employee.id == Enrolment.employee_id).where(*here)
    return statement.order_by(Employee.search, Employee.id)


def _after(employee_id: int | None) -> list[ColumnElement[bool]]:
    row = db.session.execute(select(Employee.search).where(Employee.id == (employee_id or 0))).first()
    if row is None:
        return []
    return [or_(Employee.search > row.search, and_(Employee.search == row.search, Employee.id > employee_id))]


def _needs_the_camera(terminal: Terminal) -> ColumnElement[bool]:
    """Return the condition on Enrolment: no face comes by itself, nor as soon as the terminal has room for it."""
    lacks_room = Enrolment.refusal_code.in_(capacity.CODES)
    return not_(or_(_comes_by_itself(terminal), and_(lacks_room, _can_be_sent(terminal))))


def _comes_by_itself(terminal: Terminal) -> ColumnElement[bool]:
    """Return the condition on Enrolment: it is tried, or will be after a restore or once the terminal's password is
    corrected, and has a face that can be sent.
    """
    tried = or_(Enrolment.next_attempt_at.is_not(None), Enrolment.step != "", AWAITS_RESTORE, AWAITS_CORRECTION)
    return and_(Enrolment.face == PENDING, tried, _can_be_sent(terminal))


def _can_be_sent(terminal: Terminal) -> ColumnElement[bool]:
    """Return the condition that the terminal takes the face: a picture, or one captured at this very device."""
    if terminal.face_mode != BY_URL:
        wanted = case((AWAITS_RESTORE, Employee.photo_id), else_=Enrolment.photo_id)
        return select(Photo.id).where(Photo.id == wanted, Photo.forgotten_at.is_(None)).exists()
    mine = (Capture.photo_id == Enrolment.photo_id, Capture.terminal_id == terminal.id, Capture.face_url.is_not(None))
    here = select(Capture.id).where(*mine)
    if terminal.device_changed_at is not None:
        here = here.where(Capture.created_at > terminal.device_changed_at)
    return here.exists()
