"""What sending many people to one terminal would do, counted before anything is done."""

from dataclasses import dataclass

from sqlalchemy import and_, func, select

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, JobItem, Photo, Terminal
from hikflask.models.enrolment import CONFIRMED, PRESENT, REFUSED, WAITING
from hikflask.models.terminal import BY_PICTURE, BY_URL
from hikflask.services.employees import filters
from hikflask.services.state.enrolment import is_in
from hikflask.services.terminals import capacity


@dataclass(frozen=True)
class SendPreview:
    """Of `people`: whose face is sent as a picture, who must come to the camera, whose name is shown shortened, and how
    many the terminal has no room for. `is_sure` is False while it is unknown whether the terminal takes pictures.
    """

    people: int
    by_picture: int
    to_camera: int
    shortened: int
    no_room: int
    is_sure: bool


def of_job(job_id: int, terminal: Terminal) -> SendPreview:
    """Return the plan of a job that sends people to this terminal."""
    photo = and_(Photo.id.is_not(None), Photo.forgotten_at.is_(None))
    there = select(Enrolment.id).where(
        Enrolment.terminal_id == terminal.id, Enrolment.employee_id == Employee.id, Enrolment.desired == PRESENT
    )
    # A name is shortened where neither the own name for terminals nor the full name fits.
    limit, own = terminal.name_bytes or 2**31 - 1, Employee.terminal_name
    own_fits = and_(own != "", func.octet_length(own) <= limit)
    is_shortened = and_(~own_fits, func.octet_length(Employee.name) > limit)
    counts = func.count().filter(photo), func.count().filter(is_shortened), func.count().filter(~there.exists())
    statement = select(func.count(), *counts).select_from(JobItem).join(Employee, Employee.id == JobItem.employee_id)
    statement = statement.outerjoin(Photo, Photo.id == Employee.photo_id).where(JobItem.job_id == job_id)
    people, with_photo, shortened, new = db.session.execute(statement).one()
    by_picture = 0 if terminal.face_mode == BY_URL else with_photo
    return SendPreview(
        people=people,
        by_picture=by_picture,
        to_camera=people - by_picture,
        shortened=shortened,
        no_room=max(_beyond(new, room_left(terminal)), _beyond(by_picture, capacity.remaining(terminal)[1])),
        is_sure=terminal.face_mode in {BY_PICTURE, BY_URL},
    )


def room_left(terminal: Terminal) -> int | None:
    """Return how many more people fit; None where the terminal does not tell its limit.

    Employees who are desired there and were not sent yet need room, too.
    """
    left, _ = capacity.remaining(terminal)
    here = (Enrolment.terminal_id == terminal.id, Enrolment.desired == PRESENT)
    desired = db.session.execute(select(func.count()).select_from(Enrolment).where(*here)).scalar_one()
    return None if left is None else max(0, left - max(0, desired - (terminal.people or 0)))


def _beyond(count: int, left: int | None) -> int:
    return 0 if left is None else max(0, count - left)


def count_absent(terminal: Terminal) -> int:
    """Return how many active employees are not desired on a terminal."""
    # By the states of those who are: an index has them all, and has no row for what is desired.
    desired = select(func.count()).select_from(Enrolment)
    desired = desired.where(Enrolment.terminal_id == terminal.id, is_in(CONFIRMED, WAITING, REFUSED))
    absent: int = db.session.execute(select(filters.ACTIVE - desired.scalar_subquery())).scalar_one()
    return max(0, absent)
