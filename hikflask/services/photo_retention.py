"""Forgets photos: those that HIKFLASK_PHOTO_RETENTION ends, and earlier ones that nothing points at any more.

A photo is forgotten in steps of one short transaction each: its row says so, and from then on nothing shows or sends
it; its file is removed; the row says that, too; and when nothing points at the row, it goes. Who is killed in between
leaves a row that says how far it came, and the next pass goes on from there. The hash stays as long as the row.

The employee's row is locked first, as by everybody who wants a photo on a terminal.
"""

import logging

from flask import current_app
from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update

from hikflask.extensions import db
from hikflask.models import Capture, Employee, Enrolment, Photo
from hikflask.models.capture import RUNNING, TAKEN
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT, CONFIRMED, PRESENT
from hikflask.services import audit, photos, statements

log = logging.getLogger(__name__)

EMPLOYED = "employed"
NEVER = "never"
DAYS = "days"
SUPERSEDED = "superseded"
LEFT = "left"
DAY = 86400.0
# Somebody deactivated by mistake comes back with the photo.
SECONDS_AFTER_LEAVING = DAY
# A pass shares its thread with the sweep; what is left over is done by the next one.
MOST_AT_ONCE = 200


def forget_photos() -> int:
    """Mark the photos whose time is over as forgotten; return how many."""
    return sum(_forget_by(reason, over) for reason, over in _rules())


def remove_files() -> int:
    """Remove the files of forgotten photos; return how many. One that cannot be removed is tried again next time."""
    open_still = select(Photo.id, Photo.file).where(Photo.forgotten_at.is_not(None), Photo.unlinked_at.is_(None))
    rows = db.session.execute(open_still.order_by(Photo.id)).all()
    db.session.commit()
    return sum(_remove_file(photo_id, file) for photo_id, file in rows)


def remove_rows() -> int:
    """Delete the rows of forgotten photos that nothing points at; return how many."""
    captured = exists().where(Capture.photo_id == Photo.id)
    over = and_(Photo.unlinked_at.is_not(None), _unused(), ~captured)
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


def remove_at_once(files: list[str]) -> None:
    """Remove forgotten pictures, then their rows."""
    photos.unlink(*files)
    db.session.execute(delete(Photo).where(Photo.file.in_(files)))
    db.session.commit()


def _rules() -> list[tuple[str, ColumnElement[bool]]]:
    """Return reason and condition of everything that ends a photo's time here, of which any one suffices."""
    policy = current_app.config["PHOTO_RETENTION"]
    rules: list[tuple[str, ColumnElement[bool]]] = [(SUPERSEDED, and_(_unused(), ~_held()))]
    if policy == NEVER:
        rules.append((NEVER, and_(_wanted(), ~_awaited())))
    elif policy != EMPLOYED:
        old = Photo.created_at < database_now(-DAY * int(policy))
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
    return exists().where(Enrolment.photo_id == Photo.id, Enrolment.wanted == PRESENT, *where)


def _awaited() -> ColumnElement[bool]:
    """A terminal has not confirmed it yet, so its bytes may still be needed."""
    return _wanted(or_(Enrolment.person != CONFIRMED, Enrolment.face != CONFIRMED))


def _is_of_somebody_gone() -> ColumnElement[bool]:
    """The employee left a while ago, and every terminal confirmed the removal."""
    same = or_(Enrolment.employee_id == Employee.id, Enrolment.number == Employee.number)
    leaving = exists().where(same, Enrolment.wanted == ABSENT, Enrolment.person != CONFIRMED)
    left = Employee.left_at < database_now(-SECONDS_AFTER_LEAVING)
    return exists().where(Employee.id == Photo.employee_id, ~Employee.is_active, left, ~leaving)


def _forget_by(reason: str, over: ColumnElement[bool]) -> int:
    still_here = and_(Photo.forgotten_at.is_(None), over)
    return sum(_forget(photo_id, employee_id, reason, still_here) for photo_id, employee_id in _some(still_here))


def _some(over: ColumnElement[bool]) -> list[tuple[int, int | None]]:
    statement = select(Photo.id, Photo.employee_id).where(over).order_by(Photo.id).limit(MOST_AT_ONCE)
    found = [(row.id, row.employee_id) for row in db.session.execute(statement)]
    db.session.commit()
    return found


def _forget(photo_id: int, employee_id: int | None, reason: str, over: ColumnElement[bool]) -> bool:
    """Mark one photo, if its time is over still; False when another worker did, or somebody wants it now."""
    _lock(employee_id)
    mark = update(Photo).where(Photo.id == photo_id, over).values(forgotten_at=database_now())
    marked = statements.changed_rows(mark) == 1
    if marked:
        employee = db.session.get(Employee, employee_id) if employee_id else None
        file = db.session.execute(select(Photo.file).where(Photo.id == photo_id)).scalar_one()
        audit.note("photo.forgotten", employee=employee, subject=file, after={"rule": reason})
    db.session.commit()
    return marked


def _lock(employee_id: int | None) -> None:
    if employee_id is not None:
        same = update(Employee).where(Employee.id == employee_id).values(is_active=Employee.is_active)
        statements.changed_rows(same)


def _remove_file(photo_id: int, file: str) -> bool:
    try:
        photos.unlink(file)
    except OSError:
        log.exception("the file of the forgotten photo %s cannot be removed", photo_id)
        return False
    # A save that had begun before may have renamed it meanwhile.
    gone = update(Photo).where(Photo.id == photo_id, Photo.file == file).values(unlinked_at=database_now())
    done = statements.changed_rows(gone) == 1
    db.session.commit()
    return done


def _remove_row(photo_id: int, employee_id: int | None, over: ColumnElement[bool]) -> bool:
    _lock(employee_id)
    deleted = db.session.execute(delete(Photo).where(Photo.id == photo_id, over).returning(Photo.id)).first()
    db.session.commit()
    return deleted is not None
