"""Deletes photos in steps: mark the row as forgotten, remove the file, record that in the row, delete the row.

From the first step on nothing shows or sends the photo. Each step is one short transaction. When a process is killed
between two of them, the row says how far it came, and the next pass of the worker goes on from there. The row, with the
hash of the picture, stays as long as something points at it.
"""

from sqlalchemy import ColumnElement, and_, delete, exists, select, update

from hikflask.extensions import db
from hikflask.models import Capture, Employee, Enrolment, Photo
from hikflask.models.columns import database_now
from hikflask.services.core.db import CLEANUP_BATCH, changed_rows, lock_employee, transaction, transactional
from hikflask.services.photos import storage
from hikflask.services.state import capture as captures


def remove_files() -> int:
    """Remove the files of forgotten photos; return how many. A file that cannot be removed is tried again next time."""
    # Until a new picture is saved, it is one to be forgotten within the hour (see storage.py). A time that is further
    # away was written before the clock was set back.
    being_saved = and_(Photo.forgotten_at > database_now(), Photo.forgotten_at <= database_now(storage.UNSAVED_SECONDS))
    has_file = and_(Photo.forgotten_at.is_not(None), Photo.file_deleted_at.is_(None), ~being_saved)
    rows = db.session.execute(select(Photo.id, Photo.file).where(has_file).order_by(Photo.id)).all()
    stuck = set(storage.unlink(*(row.file for row in rows)))
    return sum(_mark_file_removed(row.id, row.file) for row in rows if row.file not in stuck)


def remove_rows() -> int:
    """Delete the rows of photos whose files are removed and that nothing points at; return how many."""
    captured = exists().where(Capture.photo_id == Photo.id)
    done = and_(Photo.file_deleted_at.is_not(None), is_unused(), ~captured)
    return sum(_delete_row(photo_id, employee_id, done) for photo_id, employee_id in next_photos(done))


def forget_all_of(employee_id: int) -> list[str]:
    """Forget the photos of an employee who is deleted, and delete their captures, within the caller's transaction.
    Return the files, for remove_at_once() after the commit, or else the worker removes them.
    """
    photos = select(Photo.id).where(Photo.employee_id == employee_id)
    captures.lock_many(Capture.photo_id.in_(photos))
    db.session.execute(delete(Capture).where(Capture.photo_id.in_(photos)))
    forgotten = update(Photo).where(Photo.employee_id == employee_id)
    files = forgotten.values(employee_id=None, forgotten_at=database_now()).returning(Photo.file)
    return list(db.session.execute(files).scalars())


def forget_unsaved_of(terminal_id: int) -> list[str]:
    """Forget the pictures that were captured at a terminal and never saved, within the caller's transaction.

    Return the files, for remove_at_once() after the commit. The captures are deleted with the terminal.
    """
    captured = select(Capture.photo_id).where(Capture.terminal_id == terminal_id)
    unsaved = update(Photo).where(Photo.id.in_(captured), Photo.employee_id.is_(None))
    return list(db.session.execute(unsaved.values(forgotten_at=database_now()).returning(Photo.file)).scalars())


def remove_at_once(files: list[str]) -> None:
    """Remove the files of forgotten photos and then their rows; the worker tries again what cannot be removed now."""
    stuck = set(storage.unlink(*files))
    with transaction():
        db.session.execute(delete(Photo).where(Photo.file.in_(set(files) - stuck)))


def is_unused() -> ColumnElement[bool]:
    """Return the condition that no employee and no enrolment points at the photo."""
    columns = (Employee.photo_id, Enrolment.photo_id, Enrolment.confirmed_photo_id)
    return and_(*(~exists().where(column == Photo.id) for column in columns))


def next_photos(condition: ColumnElement[bool]) -> list[tuple[int, int | None]]:
    """Return ids of the next photos to work on, each with the id of its employee."""
    statement = select(Photo.id, Photo.employee_id).where(condition).order_by(Photo.id).limit(CLEANUP_BATCH)
    return [(row.id, row.employee_id) for row in db.session.execute(statement)]


@transactional
def _mark_file_removed(photo_id: int, file: str) -> bool:
    # A save that had begun before may have renamed the file meanwhile.
    same_file = update(Photo).where(Photo.id == photo_id, Photo.file == file)
    return changed_rows(same_file.values(file_deleted_at=database_now())) == 1


@transactional
def _delete_row(photo_id: int, employee_id: int | None, condition: ColumnElement[bool]) -> bool:
    if employee_id is not None:
        lock_employee(employee_id)
    deleted = delete(Photo).where(Photo.id == photo_id, condition).returning(Photo.id)
    return db.session.execute(deleted).first() is not None
