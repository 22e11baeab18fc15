"""Exports everything that is stored about one employee, as a ZIP file for that person."""

import io
import json
from datetime import date, timedelta
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from sqlalchemy import ColumnElement, and_, func, or_, select

from hikflask.employee_fields import DRAFT_COLUMNS, FORM_NAMES
from hikflask.extensions import Base, db
from hikflask.models import (
    AuditEntry,
    Capture,
    Difference,
    Drift,
    Employee,
    Enrolment,
    Erasure,
    ErasureRemoval,
    IgnoredDifference,
    Job,
    JobItem,
    PersonKey,
    PersonThere,
    Photo,
)
from hikflask.services import audit
from hikflask.services.audit import Entry, details_text
from hikflask.services.audit.sealing import opened
from hikflask.services.captures import personal_data
from hikflask.services.cards import registry as cards
from hikflask.services.core.db import locked_employee, transaction
from hikflask.services.core.errors import NotFound, PhotoForgotten, told
from hikflask.services.enrolments import queries
from hikflask.services.groups import queries as groups
from hikflask.services.photos import storage
from hikflask.services.privacy import consents, import_traces, passage_traces, traces
from hikflask.text_rules import folded

DATA = "data.json"
PICTURE = "photos/{}.jpg"
OF_PASSAGE = "passages/{}.jpg"
# The times of an employee's row and of its audit entry differ by less than this.
SAME_TIME = timedelta(seconds=1)
# The keys of data.json. Row ids mean nothing to the person and are left out.
OF_EMPLOYEE = (*FORM_NAMES, "is_active", "left_at", "created_at")
OF_CONSENT = ("given_on", "basis", "note", "recorded_by", "recorded_at")
OF_PHOTO = ("sha256", "source", "created_at", "forgotten_at", "unlinked_at")
OF_CARD = ("number", "given_by", "created_at")
OF_CARD_THERE = ("number", "owner", "is_lost", "confirmed_at")
OF_CAPTURE = ("state", "requested_by", "created_at", *DRAFT_COLUMNS.values(), "draft_consent", "face_url")
OF_ENROLMENT = (
    "number",
    "wanted",
    "person",
    "face",
    "confirmed_at",
    "written_name",
    "sent_name",
    "unanswered",
    "valid_there",
    "sent_valid",
    "rights_before",
    "plans_there",
    "on_old_device",
    "old_name",
    "said_by",
    "said_note",
    "created_at",
    "wanted_at",
)
# Programs read these keys, so a renamed column keeps its old key. Key → column:
COLUMN_OF = {
    "wanted": "desired",
    "wanted_at": "desired_since",
    "old_name": "name_on_old_device",
    "said_by": "confirmed_by",
    "said_note": "confirmation_note",
    "unlinked_at": "file_deleted_at",
}
OF_JOB = ("kind", "requested_by", "started_at", "state")
OF_ITEM = ("action", "confirmed", "written")
OF_IMPORT = ("table_name", "requested_by", "created_at")
OF_IMPORT_ROW = ("line", "verdict", "values", "cells", "errors", "photo", "state")
OF_PERSON_THERE = ("number", "name", "faces", "face_sha256", "valid_there", "cards", "fingerprints")
OF_DIFFERENCE = ("number", "kind")
OF_LEFT_ALONE = ("number", "kind", "decided_by", "reason", "decided_at")
OF_EVENT = (
    *("occurred_at", "device_time", "kind", "major", "minor", "number", "name", "attendance", "received_at", "record"),
)
OF_DRIFT = ("number", "kind", "expected", "found", "noticed_at")
OF_ENTRY = ("at", "actor", "address", "action", "employee", "terminal", "subject", "before", "after")
# Entries before one of these are about an earlier owner of the number or the id.
ENDS = ("employee.deleted", "employee.erased")
OF_ERASURE = ("number", "name", "other_names", "photos", "requested_by", "requested_at", "completed_at", "passages")


def export_employee(employee_id: int) -> bytes:
    """Return the ZIP file with data.json and the photos, and write the export to the audit trail.

    :raises employee_unknown: when there is no such employee.
    """
    employee = db.session.get(Employee, employee_id, populate_existing=True)
    if employee is None:
        raise NotFound("employee_unknown")
    numbered = [row for row in personal_data.find_by_number(employee.number, employee_id) if _is_own(row, employee)]
    captures = numbered + personal_data.find_by_name(employee.number, employee.name)
    # With the pictures of these captures that were never saved.
    photos = _rows(select(Photo).where(Photo.employee_id == employee_id).order_by(Photo.id))
    photos += [row.photo for row in captures if row.photo is not None and row.photo.employee_id is None]
    pictures = [(photo, _picture(photo)) for photo in photos]
    enrolled, consent = queries.of_person(employee.number, employee_id), consents.get(employee_id)
    numbers = {employee.number, *(row.number for row in enrolled)}
    events = passage_traces.of_employee(employee, numbers)
    passages = [(terminal, event, storage.read_file(event.picture or "")) for terminal, event in events]
    jobs = select(Job, JobItem).join(JobItem, JobItem.job_id == Job.id).where(JobItem.employee_id == employee_id)
    erasures = _rows(select(Erasure).where(Erasure.number == employee.number).order_by(Erasure.id))
    data = {
        "employee": _columns(employee, OF_EMPLOYEE),
        "consent": _columns(consent, OF_CONSENT) if consent else None,
        "photos": [
            {"file": PICTURE.format(photo.id) if picture else None, **_columns(photo, OF_PHOTO)}
            for photo, picture in pictures
        ],
        "captures": [_at_terminal(row, OF_CAPTURE, "reason") for row in captures],
        "cards": [_columns(card, OF_CARD) for card in cards.of_employee(employee_id)],
        "cards_there": [
            {"terminal": row.terminal.name, **_columns(row, OF_CARD_THERE)} for row in cards.there(numbers)
        ],
        "groups": [group.name for group in groups.of_employee(employee) if group.alone],
        "terminals": [_at_terminal(row, OF_ENROLMENT, "refusal") for row in enrolled],
        "audit": [
            _columns(entry, OF_ENTRY) | {"before": details_text(entry.before), "after": details_text(entry.after)}
            for entry in _entries(employee, numbered, [photo for photo, _ in pictures])
        ],
        "jobs": [
            {**_columns(job, OF_JOB), **_columns(item, OF_ITEM), "error": told(item.refusal)[0]}
            for job, item in db.session.execute(jobs.order_by(JobItem.id))
        ],
        "imports": [
            _columns(batch, OF_IMPORT)
            | _columns(row, OF_IMPORT_ROW)
            | {"errors": {name: [one["code"], one["params"]] for name, one in (row.errors or {}).items()} or None}
            for batch, row in import_traces.of_employee(employee_id)
        ],
        "comparisons": _comparisons(employee, numbers, enrolled),
        "passages": [
            {
                "terminal": terminal,
                "picture": OF_PASSAGE.format(event.id) if picture else None,
                **_columns(event, OF_EVENT),
            }
            for terminal, event, picture in passages
        ],
        # Without those of another person who had the number.
        "erasures": [_erasure(row) for row in erasures if folded(row.name) == folded(employee.name)],
    }
    with transaction():
        audit.record("employee.exported", employee=locked_employee(employee_id))
    files = [(PICTURE.format(photo.id), picture) for photo, picture in pictures]
    files += [(OF_PASSAGE.format(event.id), picture) for _, event, picture in passages]
    return _zipped(data, files)


def _comparisons(employee: Employee, numbers: set[str], enrolled: list[Enrolment]) -> list[dict[str, Any]]:
    """Return the rows of comparisons of terminals about the person. A row with another name is about another person."""
    names = {employee.name, employee.terminal_name}.union(*(row.names_sent for row in enrolled))
    columns: dict[type[Base], tuple[str, ...]] = {
        PersonThere: OF_PERSON_THERE,
        Difference: OF_DIFFERENCE,
        IgnoredDifference: OF_LEFT_ALONE,
        Drift: OF_DRIFT,
    }
    return [
        {"terminal": terminal, **_columns(row, columns[type(row)])}
        for terminal, row in traces.in_comparisons(numbers)
        if not isinstance(row, PersonThere) or row.name in names
    ]


def _is_own(capture: Capture, employee: Employee) -> bool:
    """True when a capture for the employee's number is the employee's own.

    An earlier employee may have had the number, and a capture may have been saved to somebody else.
    """
    saved_to = capture.photo.employee_id if capture.photo else None
    if saved_to is not None:
        return saved_to == employee.id
    same_name = folded(capture.draft_name.strip()) == folded(employee.name)
    return same_name or capture.created_at >= employee.created_at


def _zipped(data: dict[str, Any], pictures: list[tuple[str, bytes | None]]) -> bytes:
    file = io.BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        archive.writestr(DATA, json.dumps(data, ensure_ascii=False, indent=2))
        for name, picture in pictures:
            if picture:
                archive.writestr(name, picture)
    return file.getvalue()


def _picture(photo: Photo) -> bytes | None:
    """Return the photo's bytes, or None when its file is gone or is being removed."""
    try:
        return storage.read_photo(photo)
    except PhotoForgotten:
        return None


def _entries(employee: Employee, captures: list[Capture], photos: list[Photo]) -> list[Entry]:
    """Return the audit entries about this person. Earlier ones may be about another owner of the number or the id."""
    begun = min([employee.created_at, *(row.created_at for row in captures)])
    by_number = and_(_is_about([employee.number]), AuditEntry.at >= begun - SAME_TIME)
    by_id = and_(AuditEntry.employee_id == employee.id, AuditEntry.at >= employee.created_at - SAME_TIME)
    ended = func.max(AuditEntry.id).filter(AuditEntry.action.in_(ENDS))
    another = select(ended).where(or_(_is_about([employee.number]), AuditEntry.employee_id == employee.id))
    later = AuditEntry.id > func.coalesce(another.scalar_subquery(), 0)
    own = opened(_rows(select(AuditEntry).where(or_(by_number, by_id), later)))
    views = opened(_rows(select(AuditEntry).where(AuditEntry.action == "photo.viewed", _views(photos), later)))
    names = {photo.file.partition("_")[2] for photo in photos}
    seen = [view for view in views if view.subject.partition("_")[2] in names]
    return list({entry.id: entry for entry in sorted([*own, *seen], key=lambda entry: entry.id)}.values())


def _views(photos: list[Photo]) -> ColumnElement[bool]:
    """Select possible views of these photos, also from before their files were renamed to the employee's number."""
    names = [photo.file.partition("_")[2] for photo in photos]
    # The numbers that the photos were taken for, or had in their names.
    numbers = [photo.capture.draft_number for photo in photos if photo.capture]
    numbers += [storage.number_in(photo.file) for photo in photos]
    return or_(
        _is_about(numbers),
        *(AuditEntry.subject.endswith(f"_{name}", autoescape=True) for name in names),
    )


def _is_about(numbers: list[str]) -> ColumnElement[bool]:
    return AuditEntry.employee.in_(select(PersonKey.pseudonym).where(PersonKey.number.in_(numbers)))


def _erasure(erasure: Erasure) -> dict[str, Any]:
    # The order of the keys stays the same, too.
    begin = {"number": erasure.number, "name": erasure.name, "terminals": [_removal(row) for row in erasure.removals]}
    return begin | _columns(erasure, OF_ERASURE)


def _removal(removal: ErasureRemoval) -> dict[str, Any]:
    return {
        "enrolment": removal.enrolment_id,
        "terminal": removal.terminal,
        "number": removal.number,
        "at": removal.gone_at.isoformat() if removal.gone_at else "",
        "by_hand": bool(removal.confirmed_by),
        "said_by": removal.confirmed_by,
        "note": removal.confirmation_note,
    }


def _rows(statement: Any) -> list[Any]:
    return list(db.session.execute(statement).scalars())


def _columns(row: Base | Entry, names: tuple[str, ...]) -> dict[str, Any]:
    values = {name: getattr(row, COLUMN_OF.get(name, name)) for name in names}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}


def _at_terminal(row: Capture | Enrolment, names: tuple[str, ...], key: str) -> dict[str, Any]:
    """Return columns of a row with the terminal's name, and why the terminal refused under this key."""
    code, text = told(row.refusal)
    return {"terminal": row.terminal.name, **_columns(row, names), key: code, f"{key}_text": text}
