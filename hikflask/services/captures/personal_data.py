"""What is kept of a person beside the employee: pictures that were not saved, and forms as they were typed."""

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select

from hikflask.extensions import db
from hikflask.models import Capture, Employee, Photo
from hikflask.models.capture import CANCELLED, RUNNING
from hikflask.models.employee import folded
from hikflask.services.photos import storage
from hikflask.services.state.capture import NO_DRAFT


def of_number(number: str, employee_id: int | None = None, *, lock: bool = False) -> list[Capture]:
    """Return the captures that were taken for a number, or saved to the employee; `lock` until the commit."""
    return _captures(_of(number, employee_id), lock=lock)


def by_name_alone(number: str, name: str, *, lock: bool = False) -> list[Capture]:
    """Return the captures that are a person's by the name alone; `lock` until the commit.

    They ended unsaved, under a number that nobody has: such a number was a slip of the keyboard.
    """
    somebodys = select(Employee.number)
    others = _captures(
        Capture.state.not_in(RUNNING), Capture.draft_number != number, Capture.draft_number.not_in(somebodys), lock=lock
    )
    wanted = folded(name.strip())
    unsaved = [one for one in others if one.photo is None or one.photo.employee_id is None]
    # Compared here: SQLite folds no Cyrillic.
    return [one for one in unsaved if wanted and folded(one.draft_name.strip()) == wanted]


def forget(number: str, name: str, employee_id: int | None) -> list[str]:
    """Forget, within the caller's transaction, the captures of a person; return the unsaved pictures' files."""
    found = of_number(number, employee_id, lock=True) + by_name_alone(number, name, lock=True)
    files: list[str] = []
    for capture in found:
        files += _forgotten(capture, employee_id)
    db.session.flush()
    return files + _forgotten_left_over(number)


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
    return [] if photo.file_deleted_at else [photo.file]


def left_over(number: str) -> list[int]:
    """Return the photos under a number's name that nobody has any more and whose files are not removed yet."""
    rows = db.session.execute(select(Photo.id, Photo.file).where(_is_left_over()).order_by(Photo.id))
    return [row.id for row in rows if storage.is_named(row.file, number)]


def _forgotten_left_over(number: str) -> list[str]:
    # Asked again in the statement: a capture that was just taken, or an upload that was just saved, has an owner.
    ended = delete(Photo).where(Photo.id.in_(left_over(number)), _is_left_over()).returning(Photo.file)
    return list(db.session.execute(ended, execution_options={"synchronize_session": False}).scalars())


def _is_left_over() -> ColumnElement[bool]:
    captured = exists().where(Capture.photo_id == Photo.id)
    return and_(
        Photo.employee_id.is_(None), Photo.forgotten_at.is_not(None), Photo.file_deleted_at.is_(None), ~captured
    )


def _blank(capture: Capture) -> None:
    for column, value in NO_DRAFT.items():
        setattr(capture, column, value)


def _of(number: str, employee_id: int | None) -> ColumnElement[bool]:
    if employee_id is None:
        return Capture.draft_number == number
    own = select(Photo.id).where(Photo.employee_id == employee_id)
    return or_(Capture.draft_number == number, Capture.photo_id.in_(own))


def _captures(*conditions: ColumnElement[bool], lock: bool) -> list[Capture]:
    statement = select(Capture).where(*conditions).order_by(Capture.id)
    statement = statement.with_for_update() if lock else statement
    return list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())
