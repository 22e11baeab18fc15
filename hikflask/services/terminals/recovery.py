"""Makes enrolments due when their terminal works again, its address or login was changed, or it takes pictures."""

from sqlalchemy import select

from hikflask.extensions import db
from hikflask.isapi.errors import STOP_CODES
from hikflask.models import Employee, Enrolment, Photo
from hikflask.models.enrolment import REFUSED
from hikflask.services.core.db import lock_terminal, transaction
from hikflask.services.state import enrolment as state


def retry_all(terminal_id: int) -> None:
    """Make every open enrolment of a terminal due now: its password or address is corrected.

    Whoever corrects it does both in one transaction.
    """
    here = Enrolment.terminal_id == terminal_id
    with transaction():
        lock_terminal(terminal_id)
        state.lock_many(here)
        state.apply(state.MADE_DUE, here)
        state.apply(state.FACE_MADE_DUE, here, Enrolment.person != REFUSED)


def resume(terminal_id: int) -> None:
    """Make waiting and stopped enrolments of a terminal due, within the caller's transaction."""
    here = Enrolment.terminal_id == terminal_id
    state.lock_many(here)
    state.apply(state.MADE_DUE, here)
    state.apply(state.FACE_MADE_DUE, here, Enrolment.refusal_code.in_(STOP_CODES))


def bring_photos(terminal_id: int) -> None:
    """Mark the current photo of everybody as desired on a terminal that turned out to take pictures.

    It is within the caller's transaction. Employees saved before this was known have no photo there, or an earlier one.
    """
    photos = select(Employee.photo_id).join(Photo, Photo.id == Employee.photo_id)
    photos = photos.where(Employee.id == Enrolment.employee_id, Employee.is_active, Photo.forgotten_at.is_(None))
    photo_id = photos.scalar_subquery()
    another = photo_id.is_not(None) & photo_id.is_distinct_from(Enrolment.photo_id)
    # The rows of employees before those of their enrolments, as everybody locks them (see core/db.py).
    ids = select(Enrolment.employee_id).where(Enrolment.terminal_id == terminal_id, another)
    employees = select(Employee.id).where(Employee.id.in_(ids)).order_by(Employee.id)
    db.session.execute(employees.with_for_update(key_share=True))
    state.lock_many(Enrolment.terminal_id == terminal_id)
    state.apply(state.PHOTO_TAKEN_NOW, Enrolment.terminal_id == terminal_id, another, photo_id=photo_id)
