"""Forgets photos: those that HIKFLASK_PHOTO_RETENTION ends, and earlier ones that nothing points at any more.

One that was never saved, since its process died, was written as forgotten in a while (see photos.py).

A photo is forgotten in steps of one short transaction each: its row says so, and from then on nothing shows or sends
it; its file is removed; the row says that, too; and when nothing points at the row, it goes. Who is killed in between
leaves a row that says how far it came, and the next pass goes on from there. The hash stays as long as the row.

The employee's row is locked first, as by everybody who wants a photo on a terminal.
"""

from flask import current_app
from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update

from hikflask.extensions import db
from hikflask.models import Capture, Employee, Enrolment, Photo
from hikflask.models.capture import RUNNING, TAKEN
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT, CONFIRMED, PRESENT, REFUSED
from hikflask.services import audit
from hikflask.services.core.dates import SECONDS_PER_DAY
from hikflask.services.core.db import CLEANUP_BATCH, changed_rows, lock_employee
from hikflask.services.photos import storage

EMPLOYED = "employed"
NEVER = "never"
DAYS = "days"
SUPERSEDED = "superseded"
LEFT = "left"
# Somebody deactivated by mistake comes back with the photo.
SECONDS_AFTER_LEAVING = SECONDS_PER_DAY
# Whoever is told of a refusal may make room on the terminal, say, and press "Try again".
SECONDS_AFTER_REFUSAL = SECONDS_PER_DAY


def forget_photos() -> int:
    """Mark the photos whose time is over as forgotten; return how many."""
    return sum(_forget_by(reason, over) for reason, over in _rules())


def remove_files() -> int:
    """Remove the files of forgotten photos; return how many. One that cannot be removed is tried again next time."""
    # A time that is too far away was written before the clock was set back.
    being_saved = and_(Photo.forgotten_at > database_now(), Photo.forgotten_at <= database_now(storage.UNSAVED_SECONDS))
    open_still = and_(Photo.forgotten_at.is_not(None), Photo.file_deleted_at.is_(None), ~being_saved)
    rows = db.session.execute(select(Photo.id, Photo.file).where(open_still).order_by(Photo.id)).all()
    db.session.commit()
    stuck = set(storage.unlink(*(row.file for row in rows)))
    return sum(_note_removed(row.id, row.file) for row in rows if row.file not in stuck)


def remove_rows() -> int:
    """Delete the rows of forgotten photos that nothing points at; return how many."""
    captured = exists().where(Capture.photo_id == Photo.id)
    over = and_(Photo.file_deleted_at.is_not(None), _unused(), ~captured)
    return sum(_remove_row(photo_id, employee_id, over) for photo_id, employee_id in _some(over))


def forget_all_of(employee_id: int) -> list[str]:
    """Forget, within the caller's transaction, the photos of somebody who is deleted, and their captures.

    Return the files; remove_at_once() takes them after the commit. Should this process die before, the rows are there
    still, and a worker finds them.
    """
    own = list(db.session.execute(select(Photo).where(Photo.employee_id == employee_id)).scalars())
    for photo in own:
        for capture in db.session.execute(select(Capture).where(Capture.photo_id == photo.id)).scalars():
            db.session.delete(capture)
    db.session.flush()
    for photo in own:
        photo.employee_id, photo.forgotten_at = None, database_now()
    db.session.flush()
    return [photo.file for photo in own]


def forget_unsaved_of(terminal_id: int) -> list[str]:
    """Do so for the pictures that were captured at a terminal and never saved; their captures go with the terminal."""
    unsaved = select(Photo).join(Capture).where(Capture.terminal_id == terminal_id, Photo.employee_id.is_(None))
    pictures = list(db.session.execute(unsaved).scalars())
    for picture in pictures:
        picture.forgotten_at = database_now()
    db.session.flush()
    return [picture.file for picture in pictures]


def remove_at_once(files: list[str]) -> None:
    """Remove forgotten pictures, then their rows; what cannot be removed keeps its row, and the worker tries again."""
    stuck = set(storage.unlink(*files))
    db.session.execute(delete(Photo).where(Photo.file.in_(set(files) - stuck)))
    db.session.commit()


def _rules() -> list[tuple[str, ColumnElement[bool]]]:
    """Return reason and condition of everything that ends a photo's time here, of which any one suffices."""
    policy = current_app.config["PHOTO_RETENTION"]
    rules: list[tuple[str, ColumnElement[bool]]] = [(SUPERSEDED, and_(_unused(), ~_held()))]
    if policy == NEVER:
        taken = Photo.created_at < database_now(-SECONDS_AFTER_REFUSAL)
        rules.append((NEVER, and_(_wanted(), ~_awaited(), or_(~_wanted(_is_refused()), taken))))
    elif policy != EMPLOYED:
        old = Photo.created_at < database_now(-SECONDS_PER_DAY * int(policy))
        rules.append((DAYS, and_(Photo.employee_id.is_not(None), old, ~_awaited())))
    if policy in {NEVER, EMPLOYED}:
        rules.append((LEFT, _is_of_somebody_gone()))
    return rules


def _unused() -> ColumnElement[bool]:
    columns = (Employee.photo_id, Enrolment.photo_id, Enrolment.confirmed_photo_id)
    return and_(*(~exists().where(column == Photo.id) for column in columns))


def _held() -> ColumnElement[bool]:
    """A capture runs, waits to be saved, or holds its terminal with this photo."""
    held = or_(Capture.state.in_((*RUNNING, TAKEN)), Capture.hold_until > database_now())
    return exists().where(Capture.photo_id == Photo.id, held)


def _wanted(*where: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(Enrolment.photo_id == Photo.id, Enrolment.desired == PRESENT, *where)


def _awaited() -> ColumnElement[bool]:
    """A terminal has not confirmed it yet and will be asked again, so its bytes are still needed."""
    return _wanted(or_(Enrolment.person != CONFIRMED, Enrolment.face != CONFIRMED), ~_is_refused())


def _is_refused() -> ColumnElement[bool]:
    """Refused for good: nothing comes by itself, and whoever tries again is told that the photo is gone."""
    refused = or_(Enrolment.person == REFUSED, Enrolment.face == REFUSED)
    return and_(refused, Enrolment.next_attempt_at.is_(None))


def _is_of_somebody_gone() -> ColumnElement[bool]:
    """The employee left a while ago, and every terminal confirmed the removal."""
    same = or_(Enrolment.employee_id == Employee.id, Enrolment.number == Employee.number)
    leaving = exists().where(same, Enrolment.desired == ABSENT, Enrolment.person != CONFIRMED)
    left = Employee.left_at < database_now(-SECONDS_AFTER_LEAVING)
    return exists().where(Employee.id == Photo.employee_id, ~Employee.is_active, left, ~leaving)


def _forget_by(reason: str, over: ColumnElement[bool]) -> int:
    still_here = and_(Photo.forgotten_at.is_(None), over)
    return sum(_forget(photo_id, employee_id, reason, still_here) for photo_id, employee_id in _some(still_here))


def _some(over: ColumnElement[bool]) -> list[tuple[int, int | None]]:
    statement = select(Photo.id, Photo.employee_id).where(over).order_by(Photo.id).limit(CLEANUP_BATCH)
    found = [(row.id, row.employee_id) for row in db.session.execute(statement)]
    db.session.commit()
    return found


def _forget(photo_id: int, employee_id: int | None, reason: str, over: ColumnElement[bool]) -> bool:
    """Mark one photo, if its time is over still; False when another worker did, or somebody wants it now."""
    if employee_id is not None:
        lock_employee(employee_id)
    mark = update(Photo).where(Photo.id == photo_id, over).values(forgotten_at=database_now())
    marked = changed_rows(mark) == 1
    if marked:
        employee = db.session.get(Employee, employee_id) if employee_id else None
        file = db.session.execute(select(Photo.file).where(Photo.id == photo_id)).scalar_one()
        audit.note("photo.forgotten", employee=employee, subject=file, after={"rule": reason})
    db.session.commit()
    return marked


def _note_removed(photo_id: int, file: str) -> bool:
    # A save that had begun before may have renamed it meanwhile.
    gone = update(Photo).where(Photo.id == photo_id, Photo.file == file).values(file_deleted_at=database_now())
    done = changed_rows(gone) == 1
    db.session.commit()
    return done


def _remove_row(photo_id: int, employee_id: int | None, over: ColumnElement[bool]) -> bool:
    if employee_id is not None:
        lock_employee(employee_id)
    deleted = db.session.execute(delete(Photo).where(Photo.id == photo_id, over).returning(Photo.id)).first()
    db.session.commit()
    return deleted is not None
