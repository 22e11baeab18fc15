"""Forgets photos: those that HIKFLASK_PHOTO_RETENTION ends, and earlier ones that nothing points at any more.

A photo is forgotten in steps of one short transaction each: its row says so, and from then on nothing shows or sends
it; its file is removed; the row says that, too; and when nothing points at the row, it goes. Who is killed in between
leaves a row that says how far it came, and the next pass goes on from there. The hash stays as long as the row.

The employee's row is locked first, as by everybody who wants a photo on a terminal.
"""

import logging
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, Select, and_, delete, or_, select, update

from hikflask.extensions import db
from hikflask.models import Capture, Employee, Enrolment, Photo
from hikflask.models.capture import RUNNING, TAKEN
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT, CONFIRMED, PRESENT
from hikflask.services import audit, leases, photos

log = logging.getLogger(__name__)

EMPLOYED = "employed"
NEVER = "never"
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
    over = and_(Photo.unlinked_at.is_not(None), _unused(), Photo.id.not_in(_not_null(Capture.photo_id)))
    return sum(_remove_row(photo_id, employee_id, over) for photo_id, employee_id in _some(over))


def _rules() -> list[tuple[str, ColumnElement[bool]]]:
    """Return reason and condition of everything that ends a photo's time here, of which any one suffices."""
    policy = current_app.config["PHOTO_RETENTION"]
    rules = [(SUPERSEDED, _superseded())]
    if policy == NEVER:
        rules.append((NEVER, and_(Photo.id.in_(_wanted()), Photo.id.not_in(_awaited()))))
    elif policy != EMPLOYED:
        old = Photo.created_at < database_now(-DAY * int(policy))
        rules.append(("days", and_(Photo.employee_id.is_not(None), old, Photo.id.not_in(_awaited()))))
    if policy in {NEVER, EMPLOYED}:
        rules.append((LEFT, Photo.employee_id.in_(_gone())))
    return rules


def _superseded() -> ColumnElement[bool]:
    """Nothing points at it, and no capture that runs, waits to be saved or holds its terminal."""
    held = or_(Capture.state.in_((*RUNNING, TAKEN)), Capture.hold_until > database_now())
    return and_(_unused(), Photo.id.not_in(_not_null(Capture.photo_id, held)))


def _unused() -> ColumnElement[bool]:
    columns = (Employee.photo_id, Enrolment.photo_id, Enrolment.confirmed_photo_id)
    return and_(*(Photo.id.not_in(_not_null(column)) for column in columns))


def _not_null(column: Any, *where: ColumnElement[bool]) -> Select[Any]:
    # NOT IN finds nothing at all beside a NULL.
    return select(column).where(column.is_not(None), *where)


def _wanted() -> Select[Any]:
    return _not_null(Enrolment.photo_id, Enrolment.wanted == PRESENT)


def _awaited() -> Select[Any]:
    """Photos that a terminal has not confirmed yet, so that their bytes may still be needed."""
    undone = or_(Enrolment.person != CONFIRMED, Enrolment.face != CONFIRMED)
    return _not_null(Enrolment.photo_id, Enrolment.wanted == PRESENT, undone)


def _gone() -> Select[Any]:
    """Employees who left a while ago and whose removal every terminal confirmed."""
    leaving = and_(Enrolment.wanted == ABSENT, Enrolment.person != CONFIRMED)
    return select(Employee.id).where(
        ~Employee.is_active,
        Employee.left_at < database_now(-SECONDS_AFTER_LEAVING),
        Employee.id.not_in(_not_null(Enrolment.employee_id, leaving)),
        Employee.number.not_in(_not_null(Enrolment.number, leaving)),
    )


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
    marked = leases.changed_rows(mark) == 1
    if marked:
        employee = db.session.get(Employee, employee_id) if employee_id else None
        file = db.session.execute(select(Photo.file).where(Photo.id == photo_id)).scalar_one()
        audit.note("photo.forgotten", employee=employee, subject=file, after={"reason": reason})
    db.session.commit()
    return marked


def _lock(employee_id: int | None) -> None:
    if employee_id is not None:
        same = update(Employee).where(Employee.id == employee_id).values(is_active=Employee.is_active)
        leases.changed_rows(same)


def _remove_file(photo_id: int, file: str) -> bool:
    try:
        photos.unlink(file)
    except OSError:
        log.exception("the file of the forgotten photo %s cannot be removed", photo_id)
        return False
    # A save that had begun before may have renamed it meanwhile.
    gone = update(Photo).where(Photo.id == photo_id, Photo.file == file).values(unlinked_at=database_now())
    done = leases.changed_rows(gone) == 1
    db.session.commit()
    return done


def _remove_row(photo_id: int, employee_id: int | None, over: ColumnElement[bool]) -> bool:
    _lock(employee_id)
    deleted = db.session.execute(delete(Photo).where(Photo.id == photo_id, over).returning(Photo.id)).first()
    db.session.commit()
    return deleted is not None
