"""Finds and deletes one person's captures: typed drafts and unsaved pictures.

The export contains what is found here, and an erasure deletes it.
"""

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select

from hikflask.extensions import db
from hikflask.models import Capture, Employee, Photo
from hikflask.models.capture import RUNNING
from hikflask.services.captures import drafts
from hikflask.services.photos import storage
from hikflask.services.state import capture as state
from hikflask.text_rules import folded

_IS_FORGOTTEN = and_(Photo.forgotten_at.is_not(None), Photo.file_deleted_at.is_(None))
IS_LEFTOVER = and_(Photo.employee_id.is_(None), _IS_FORGOTTEN, ~exists().where(Capture.photo_id == Photo.id))


def find_by_number(number: str, employee_id: int | None = None) -> list[Capture]:
    """Return the captures that were taken for a number, or whose photo was saved to the employee."""
    return _captures(_is_of(number, employee_id))


def find_by_name(number: str, name: str) -> list[Capture]:
    """Return the ended, unsaved captures with this name and with another number that no employee has.

    The number was mistyped, so only the name tells whose capture it is.
    """
    ended = _captures(_is_nobodys(number))
    wanted = folded(name.strip())
    unsaved = [capture for capture in ended if capture.photo is None or capture.photo.employee_id is None]
    # Compared in Python: SQLite cannot fold Cyrillic letters.
    return [capture for capture in unsaved if wanted and folded(capture.draft_name.strip()) == wanted]


def forget_person(number: str, name: str, employee_id: int | None) -> list[str]:
    """Delete the captures of a person within the caller's transaction.

    :return: the files of the unsaved pictures, to be removed after the commit.
    """
    files: list[str] = []
    state.lock_many(or_(_is_of(number, employee_id), _is_nobodys(number)))
    for capture in find_by_number(number, employee_id) + find_by_name(number, name):
        files += _forget(capture, employee_id)
    db.session.flush()
    # The condition is repeated: such a photo may have been captured or saved just now, and then belongs to somebody.
    ended = delete(Photo).where(Photo.id.in_(leftover_photos(number)), IS_LEFTOVER).returning(Photo.file)
    return files + list(db.session.execute(ended, execution_options={"synchronize_session": False}).scalars())


def leftover_photos(number: str) -> list[int]:
    """Return the ids of photos without employee and capture whose file is named after a number and not deleted yet."""
    rows = db.session.execute(select(Photo.id, Photo.file).where(IS_LEFTOVER).order_by(Photo.id))
    return [row.id for row in rows if storage.is_named(row.file, number)]


def _forget(capture: Capture, employee_id: int | None) -> list[str]:
    photo = capture.photo
    # A running conversation learns from the row's state that it must end, so the row stays, with an empty draft.
    if state.apply(state.ERASED, Capture.id == capture.id):
        return []
    if photo is not None and photo.employee_id not in {None, employee_id}:
        drafts.blank(Capture.id == capture.id)  # Saved to somebody else, who keeps the photo.
        return []
    db.session.delete(capture)
    db.session.flush()
    if photo is None or photo.employee_id is not None:
        return []
    db.session.delete(photo)
    return [] if photo.file_deleted_at else [photo.file]


def _is_of(number: str, employee_id: int | None) -> ColumnElement[bool]:
    taken_for = Capture.draft_number == number
    own = select(Photo.id).where(Photo.employee_id == employee_id)
    return taken_for if employee_id is None else or_(taken_for, Capture.photo_id.in_(own))


def _is_nobodys(number: str) -> ColumnElement[bool]:
    unknown = Capture.draft_number.not_in(select(Employee.number))
    return and_(Capture.state.not_in(RUNNING), Capture.draft_number != number, unknown)


def _captures(condition: ColumnElement[bool]) -> list[Capture]:
    statement = select(Capture).where(condition).order_by(Capture.id)
    return list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())
