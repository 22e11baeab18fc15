"""What is stored about one employee, as a ZIP file for that person."""

import io
import json
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from sqlalchemy import ColumnElement, and_, false, func, or_, select

from hikflask.extensions import Base, db
from hikflask.models import AuditEntry, Capture, Consent, Employee, Erasure, Photo
from hikflask.models.employee import folded
from hikflask.services import audit
from hikflask.services.captures import personal_data
from hikflask.services.core.errors import EmployeeUnknown, PhotoForgotten
from hikflask.services.enrolments import queries
from hikflask.services.photos import storage
from hikflask.services.privacy import consents

DATA = "data.json"
# The entry of who was added, and the row itself, are written a moment apart.
A_MOMENT = timedelta(seconds=1)
# What means something to the person; ids of rows here do not.
OF_EMPLOYEE = ("number", "name", "department", "is_active", "left_at", "created_at")
OF_CONSENT = ("given_on", "basis", "note", "recorded_by", "recorded_at")
OF_PHOTO = ("sha256", "source", "created_at", "forgotten_at", "unlinked_at")
OF_CAPTURE = (
    "state",
    "reason",
    "reason_text",
    "requested_by",
    "created_at",
    "draft_number",
    "draft_name",
    "draft_department",
    "draft_consent",
    "face_url",
)
OF_ENROLMENT = (
    "number",
    "wanted",
    "person",
    "face",
    "confirmed_at",
    "written_name",
    "sent_name",
    "on_old_device",
    "old_name",
    "said_by",
    "said_note",
    "refusal",
    "refusal_text",
    "created_at",
    "wanted_at",
)
# Programs read the file by these keys: a column that got another name keeps the key that it had.
COLUMN_OF = {
    "wanted": "desired",
    "wanted_at": "desired_since",
    "old_name": "name_on_old_device",
    "said_by": "confirmed_by",
    "said_note": "confirmation_note",
    "refusal": "refusal_code",
    "unlinked_at": "file_deleted_at",
}
OF_ENTRY = ("at", "actor", "address", "action", "employee", "terminal", "subject", "before", "after")
ENDS = ("employee.deleted", "employee.erased")
OF_ERASURE = ("number", "name", "terminals", "photos", "requested_by", "requested_at", "completed_at")


def of_employee(employee_id: int) -> bytes:
    """Return the ZIP file: data.json and the photos; that it was made is in the audit trail.

    :raises EmployeeUnknown: when there is no such employee.
    """
    employee = db.session.get(Employee, employee_id, populate_existing=True)
    if employee is None:
        raise EmployeeUnknown
    numbered = [one for one in personal_data.of_number(employee.number, employee_id) if _is_theirs(one, employee)]
    captures = numbered + personal_data.by_name_alone(employee.number, employee.name)
    pictures = [(photo, _picture(photo)) for photo in _photos(employee_id, captures)]
    enrolled = queries.of_person(employee.number, employee_id)
    data = {
        "employee": _columns(employee, OF_EMPLOYEE),
        "consent": _consent(employee_id),
        "photos": [{"file": _name(photo, picture), **_columns(photo, OF_PHOTO)} for photo, picture in pictures],
        "captures": [{"terminal": one.terminal.name, **_columns(one, OF_CAPTURE)} for one in captures],
        "terminals": [{"terminal": one.terminal.name, **_columns(one, OF_ENROLMENT)} for one in enrolled],
        "audit": [_columns(entry, OF_ENTRY) for entry in _entries(employee, numbered, [one for one, _ in pictures])],
        "erasures": [_erasure(one) for one in _erasures(employee)],
    }
    audit.note_alone("employee.exported", employee=employee)
    return _zipped(data, pictures)


def _is_theirs(capture: Capture, employee: Employee) -> bool:
    """Somebody else may have had the number before, and a capture may have been saved to somebody else."""
    saved_to = capture.photo.employee_id if capture.photo else None
    if saved_to is not None:
        return saved_to == employee.id
    same_name = folded(capture.draft_name.strip()) == folded(employee.name)
    return same_name or capture.created_at >= employee.created_at


def _zipped(data: dict[str, Any], pictures: list[tuple[Photo, bytes | None]]) -> bytes:
    file = io.BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        archive.writestr(DATA, json.dumps(data, ensure_ascii=False, indent=2))
        for photo, picture in pictures:
            name = _name(photo, picture)
            if name and picture:
                archive.writestr(name, picture)
    return file.getvalue()


def _name(photo: Photo, picture: bytes | None) -> str | None:
    """The photo's place in the ZIP file; None when its file is gone."""
    return f"photos/{photo.id}.jpg" if picture else None


def _picture(photo: Photo) -> bytes | None:
    """The photo's bytes; None when its file is gone, or is about to go."""
    try:
        return storage.to_send(photo)
    except PhotoForgotten:
        return None


def _consent(employee_id: int) -> dict[str, Any] | None:
    found: Consent | None = consents.of(employee_id)
    return _columns(found, OF_CONSENT) if found else None


def _photos(employee_id: int, captures: list[Capture]) -> list[Photo]:
    """The employee's own, and those that were taken and never saved."""
    own = list(_rows(select(Photo).where(Photo.employee_id == employee_id).order_by(Photo.id)))
    unsaved = [one.photo for one in captures if one.photo is not None and one.photo.employee_id is None]
    return own + unsaved


def _entries(employee: Employee, captures: list[Capture], shown: list[Photo]) -> list[AuditEntry]:
    """What was done since the person is known here: before, number and id may have been somebody else's."""
    begun = min([employee.created_at, *(one.created_at for one in captures)])
    by_number = and_(AuditEntry.employee == employee.number, AuditEntry.at >= begun - A_MOMENT)
    by_id = and_(AuditEntry.employee_id == employee.id, AuditEntry.at >= employee.created_at - A_MOMENT)
    ended = func.max(AuditEntry.id).filter(AuditEntry.action.in_(ENDS))
    another = select(ended).where(or_(AuditEntry.employee == employee.number, AuditEntry.employee_id == employee.id))
    later = AuditEntry.id > func.coalesce(another.scalar_subquery(), 0)
    theirs = select(AuditEntry).where(
        or_(by_number, by_id, _looks(shown)), later, AuditEntry.action != "erasure.completed"
    )
    return list(_rows(theirs.order_by(AuditEntry.id)))


def _looks(shown: list[Photo]) -> ColumnElement[bool]:
    """The looks at these, also before their files bore the employee's number."""
    names = [one.file.partition("_")[2] for one in shown]
    seen = or_(false(), *(AuditEntry.subject.endswith(f"_{name}", autoescape=True) for name in names))
    return and_(AuditEntry.action == "photo.viewed", seen)


def _erasures(employee: Employee) -> list[Erasure]:
    """Those of the same person, who came back; somebody else may have had the number before."""
    found = _rows(select(Erasure).where(Erasure.number == employee.number).order_by(Erasure.id))
    return [one for one in found if folded(one.name) == folded(employee.name)]


def _erasure(erasure: Erasure) -> dict[str, Any]:
    return _columns(erasure, OF_ERASURE) | {"terminals": json.loads(erasure.terminals)}


def _rows(statement: Any) -> Iterable[Any]:
    rows: Iterable[Any] = db.session.execute(statement).scalars()
    return rows


def _columns(row: Base, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _plain(getattr(row, COLUMN_OF.get(name, name))) for name in names}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime)) else value
