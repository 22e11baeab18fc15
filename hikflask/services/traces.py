"""What captures keep of a person: pictures that were not saved, and forms as they were typed."""

from sqlalchemy import ColumnElement, or_, select

from hikflask.extensions import db
from hikflask.models import Capture, Employee, Photo
from hikflask.models.capture import CANCELLED, RUNNING
from hikflask.models.employee import folded

NO_DRAFT = {"draft_number": "", "draft_name": "", "draft_department": "", "draft_consent": False}


def of_number(number: str, employee_id: int | None = None) -> list[Capture]:
    """Return the captures that were taken for a number, or saved to the employee."""
    return _captures(_of(number, employee_id))


def forget(number: str, name: str, employee_id: int | None) -> list[str]:
    """Forget, within the caller's transaction, the captures of a person; return the unsaved pictures' files.

    Of those that carry the name alone, the ones that ended under a number that nobody has go, too: such a number was
    a slip of the keyboard.
    """
    found = of_number(number, employee_id) + _by_name_alone(number, name)
    files: list[str] = []
    for capture in found:
        files += _forgotten(capture, employee_id)
    db.session.flush()
    return files


def _forgotten(capture: Capture, employee_id: int | None) -> list[str]:
    photo = capture.photo
    if capture.state in RUNNING:
        # Whoever waits at the terminal is told by the row's state, so the row stays; it says nothing any more.
        _blank(capture)
        capture.state = CANCELLED
        return []
    if photo is not None and photo.employee_id not in {None, employee_id}:
        _blank(capture)  # Begun for this number, saved to somebody else: the face is theirs.
        return []
    db.session.delete(capture)
    db.session.flush()
    if photo is None or photo.employee_id is not None:
        return []
    db.session.delete(photo)
    return [] if photo.forgotten_at else [photo.file]


def _blank(capture: Capture) -> None:
    for column, value in NO_DRAFT.items():
        setattr(capture, column, value)


def _of(number: str, employee_id: int | None) -> ColumnElement[bool]:
    if employee_id is None:
        return Capture.draft_number == number
    own = select(Photo.id).where(Photo.employee_id == employee_id)
    return or_(Capture.draft_number == number, Capture.photo_id.in_(own))


def _by_name_alone(number: str, name: str) -> list[Capture]:
    somebodys = select(Employee.number)
    others = _captures(
        Capture.state.not_in(RUNNING), Capture.draft_number != number, Capture.draft_number.not_in(somebodys)
    )
    wanted = folded(name.strip())
    unsaved = [one for one in others if one.photo is None or one.photo.employee_id is None]
    # Compared here: SQLite folds no Cyrillic.
    return [one for one in unsaved if wanted and folded(one.draft_name.strip()) == wanted]


def _captures(*conditions: ColumnElement[bool]) -> list[Capture]:
    statement = select(Capture).where(*conditions).order_by(Capture.id).with_for_update()
    return list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())
