"""Retention of photos: by the policy in HIKFLASK_PHOTO_RETENTION, and until a later photo takes the place of one.

Such photos are marked as forgotten here; deletion.py removes their files and rows. A photo that was never saved, since
its process died, needs no rule: it is stored as one to be forgotten in an hour (see storage.py).

The employee's row is locked first, as before every change of the photo that a terminal should have.
"""

from flask import current_app
from sqlalchemy import ColumnElement, and_, exists, or_, select, update

from hikflask.extensions import db
from hikflask.models import Capture, Employee, Enrolment, ImportRow, Photo
from hikflask.models.capture import CAPTURED, RUNNING
from hikflask.models.columns import database_now
from hikflask.models.enrolment import PRESENT, REFUSED, WAITING
from hikflask.models.import_batch import APPLIED
from hikflask.services import audit
from hikflask.services.core.dates import SECONDS_PER_DAY
from hikflask.services.core.db import changed_rows, lock_employee, transactional
from hikflask.services.photos import storage
from hikflask.services.photos.deletion import is_unused, next_photos
from hikflask.services.state.enrolment import IS_LEAVING_UNINDEXED, is_in

# The values of the setting that are words; the others are numbers of days.
EMPLOYED = "employed"
NEVER = "never"
# The further reasons for the audit trail.
DAYS = "days"
SUPERSEDED = "superseded"
LEFT = "left"
# Somebody who was deactivated by mistake comes back with the photo.
SECONDS_AFTER_LEAVING = SECONDS_PER_DAY
# After a refusal somebody may make room on the terminal, for example, and press "Try again".
SECONDS_AFTER_REFUSAL = SECONDS_PER_DAY


def forget_photos() -> int:
    """Mark the photos whose time is over as forgotten; return how many."""
    count = 0
    for reason, is_over in _rules():
        condition = and_(Photo.forgotten_at.is_(None), is_over)
        count += sum(_forget(photo, employee, reason, condition) for photo, employee in next_photos(condition))
    return count


def _rules() -> list[tuple[str, ColumnElement[bool]]]:
    """Return the reasons that end a photo's time under the current setting, each with its condition. One is enough."""
    policy = current_app.config["PHOTO_RETENTION"]
    # Where photos are not kept, an import that is undone does not bring them back.
    comes_back = exists().where(ImportRow.former_photo_id == Photo.id, ImportRow.state == APPLIED)
    kept = () if policy == NEVER else (~comes_back,)
    # A capture with the photo runs, waits to be saved, or holds its terminal.
    held = or_(Capture.state.in_((*RUNNING, CAPTURED)), Capture.hold_until > database_now())
    is_held = exists().where(Capture.photo_id == Photo.id, held)
    rules: list[tuple[str, ColumnElement[bool]]] = [(SUPERSEDED, and_(is_unused(), ~is_held, *kept))]
    if policy == NEVER:
        old = Photo.created_at < database_now(-SECONDS_AFTER_REFUSAL)
        rules.append((NEVER, and_(_is_desired(), ~_is_awaited(), or_(~_is_desired(_is_refused()), old))))
    elif policy != EMPLOYED:
        old = Photo.created_at < database_now(-SECONDS_PER_DAY * int(policy))
        rules.append((DAYS, and_(Photo.employee_id.is_not(None), old, ~_is_awaited())))
    if policy in {NEVER, EMPLOYED}:
        # The employee left some time ago, and every terminal has confirmed the removal.
        same = or_(Enrolment.employee_id == Employee.id, Enrolment.number == Employee.number)
        left = Employee.left_at < database_now(-SECONDS_AFTER_LEAVING)
        is_gone = (~Employee.is_active, left, ~exists().where(same, IS_LEAVING_UNINDEXED))
        rules.append((LEFT, exists().where(Employee.id == Photo.employee_id, *is_gone)))
    return rules


def _is_desired(*where: ColumnElement[bool]) -> ColumnElement[bool]:
    """The photo is desired on a terminal by an enrolment for which these conditions are true."""
    return exists().where(Enrolment.photo_id == Photo.id, Enrolment.desired == PRESENT, *where)


def _is_awaited() -> ColumnElement[bool]:
    """A terminal has not confirmed the photo yet and will be asked again, so the file is still needed."""
    return _is_desired(is_in(WAITING, REFUSED), ~_is_refused())


def _is_refused() -> ColumnElement[bool]:
    """A terminal refused the enrolment for good: it is not retried by itself. A retry by hand finds the photo gone."""
    refused = or_(Enrolment.person == REFUSED, Enrolment.face == REFUSED)
    return and_(refused, Enrolment.next_attempt_at.is_(None))


@transactional
def _forget(photo_id: int, employee_id: int | None, reason: str, condition: ColumnElement[bool]) -> bool:
    """Mark one photo as forgotten; return False when the condition is not true any more."""
    if employee_id is not None:
        lock_employee(employee_id)
    mark = update(Photo).where(Photo.id == photo_id, condition).values(forgotten_at=database_now())
    marked = changed_rows(mark) == 1
    if marked:
        employee = db.session.get(Employee, employee_id) if employee_id else None
        file = db.session.execute(select(Photo.file).where(Photo.id == photo_id)).scalar_one()
        number = employee.number if employee else storage.number_in(file)
        audit.record("photo.forgotten", employee=employee, number=number, subject=file, after={"rule": reason})
    return marked
