"""Enrolments with their employees as columns, for very many: objects of the ORM cost several times as much.

They have the names of models/enrolment.py and models/people.py.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import aliased

from hikflask.models import Employee, Enrolment, Photo
from hikflask.models.enrolment import PRESENT, names_sent
from hikflask.services.core.db import rows_of


class EmployeeColumns(NamedTuple):
    """What lists need of an employee. `photo_sha256` is empty without a photo that is kept."""

    id: int
    number: str
    name: str
    terminal_name: str
    is_active: bool
    valid_from: date | None
    valid_to: date | None
    has_consent: bool
    photo_sha256: str


class EnrolmentColumns(NamedTuple):
    """What lists need of an enrolment. `photo_sha256` is empty without a photo, and `has_picture`: it is kept still."""

    id: int
    number: str
    generation: int
    desired: str
    state: str
    person: str
    face: str
    confirmed_at: datetime | None
    written_name: str
    sent_name: str
    name_on_old_device: str
    unanswered: dict[str, Any] | None
    valid_there: str
    sent_valid: str
    face_there: str
    refusal_code: str
    photo_sha256: str
    has_picture: bool
    employee: EmployeeColumns | None

    @property
    def is_desired(self) -> bool:
        """True when the number is desired present."""
        return self.desired == PRESENT

    @property
    def names_sent(self) -> set[str]:
        """As Enrolment.names_sent."""
        return names_sent(self)


_OWN = aliased(Photo)
_EMPLOYEE = (
    *(getattr(Employee, name) for name in EmployeeColumns._fields[:-1]),
    case((and_(_OWN.id.is_not(None), _OWN.forgotten_at.is_(None)), _OWN.sha256), else_=""),
)
_ENROLMENT = (
    *(getattr(Enrolment, name) for name in EnrolmentColumns._fields[:-3]),
    func.coalesce(Photo.sha256, ""),
    and_(Photo.id.is_not(None), Photo.forgotten_at.is_(None)),
)
_OF_ENROLMENT, _OF_EMPLOYEE = slice(len(_ENROLMENT)), slice(len(_ENROLMENT), None)


def employees(*which: ColumnElement[bool]) -> Iterator[EmployeeColumns]:
    """Yield employees, in the open transaction."""
    statement = select(*_EMPLOYEE).outerjoin(_OWN, _OWN.id == Employee.photo_id).where(*which)
    return map(EmployeeColumns._make, rows_of(statement))


def enrolments(*which: ColumnElement[bool]) -> Iterator[EnrolmentColumns]:
    """Yield enrolments with their employees, in the open transaction."""
    both = select(*_ENROLMENT, *_EMPLOYEE).outerjoin(Photo, Photo.id == Enrolment.photo_id)
    both = both.outerjoin(Employee, Employee.id == Enrolment.employee_id).outerjoin(_OWN, _OWN.id == Employee.photo_id)
    for row in rows_of(both.where(*which)):
        employee = EmployeeColumns._make(row[_OF_EMPLOYEE])
        yield EnrolmentColumns._make((*row[_OF_ENROLMENT], None if employee.id is None else employee))
