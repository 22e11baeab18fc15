"""Uploads that are checked and shown before they are saved.

A draft is a photo that is not saved yet (see photos/storage.py): it is forgotten in an hour unless it is saved, and an
erasure of the number that it was uploaded for deletes it. A file beside its picture has one line of JSON with the owner
and the findings, and then the uploaded file, so that a turned or cropped picture is as sharp as the first.

A draft never changes: a turned picture is another draft. So what is saved is always what the page shows.
"""

import io
import json
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import ColumnElement, and_, select, update

from hikflask.extensions import db
from hikflask.models import Photo
from hikflask.models.columns import database_now
from hikflask.services.core.db import after_commit, changed_rows, transaction
from hikflask.services.core.errors import ServiceError
from hikflask.services.photos import deletion, inspection, storage
from hikflask.services.photos.inspection_checks import Finding

# The id of the photo, and the part of its file's name that nobody can guess.
TOKEN = re.compile(r"([1-9]\d{0,8})-([\w-]{22})\Z", re.ASCII)
# Each has up to 10 MB. Nobody chooses more photos within an hour, except to fill the disk.
MAX_DRAFTS_EACH = 20
MAX_LINE_LENGTH = 64 * 1024
FULL_TURN = 360
IS_DRAFT = and_(Photo.employee_id.is_(None), Photo.forgotten_at > database_now())


@dataclass(frozen=True)
class PhotoDraft:
    """A checked upload: its token, the operator who owns it, how it is changed, and what was found.

    :ivar turn: degrees clockwise. :ivar cropped: whether the face is cut out.
    """

    token: str
    owner: str
    turn: int
    cropped: bool
    findings: tuple[Finding, ...]
    faces_checked: bool

    @property
    def is_poor(self) -> bool:
        """True when a terminal is expected to refuse the photo."""
        return any(finding.serious for finding in self.findings)


def make(upload: IO[bytes], number: str, owner: str) -> PhotoDraft:
    """Look at an upload and keep it as a draft.

    :param number: the typed number. :param owner: who may see and save it.
    :raises BadPhoto: when it is no JPEG, PNG or WebP, has more than 10 MB or more than 40 megapixels.
    :raises PhotosWaiting: when other uploads take too long.
    """
    checked = inspection.check_photo(upload)
    upload.seek(0)
    return _keep(checked, upload.read(), number, {"owner": owner, "turn": 0, "cropped": False})


def changed(token: str, number: str, owner: str, *, turn: int = 0, crop: bool | None = None) -> PhotoDraft:
    """Return another draft of the same upload, turned by so many degrees more, or cropped, or not cropped any more.

    :raises photo_draft_gone: when there is no such draft of this operator any more. :raises PhotosWaiting:
    """
    photo, draft = owned(token, owner)
    try:
        upload = storage.beside(photo).read_bytes().partition(b"\n")[2]
    except FileNotFoundError as error:
        raise ServiceError("photo_draft_gone") from error
    turned, cropped = (draft.turn + turn) % FULL_TURN, draft.cropped if crop is None else crop
    checked = inspection.check_photo(io.BytesIO(upload), turn=turned, crop=cropped)
    return _keep(checked, upload, number, {"owner": owner, "turn": turned, "cropped": cropped})


def find(token: str, owner: str) -> PhotoDraft | None:
    """Return an operator's draft; None when it is saved, forgotten, or somebody else's."""
    photo = _row(token, IS_DRAFT)
    about = _about(storage.beside(photo)) if photo else {}
    return _draft(photo, about) if photo and about.get("owner") == owner else None


def picture(token: str, owner: str) -> bytes | None:
    """Return the bytes that would be saved; None where find() returns None."""
    photo = _row(token, IS_DRAFT)
    path = storage.path_of(photo) if photo else None
    try:
        content = path.read_bytes() if path else None
    except FileNotFoundError:
        return None
    # Looked for after the file is read, so that what was forgotten meanwhile is not shown.
    return content if find(token, owner) else None


def drop(token: str, owner: str) -> None:
    """Delete an operator's draft, if it is there."""
    photo = _row(token, IS_DRAFT)
    if photo and find(token, owner):
        _delete([photo.file])


def save(photo: Photo) -> None:
    """Keep the photo of a draft, within the caller's transaction. A draft is saved once.

    :raises photo_draft_gone: when it was saved, forgotten or erased meanwhile.
    """
    if changed_rows(update(Photo).where(Photo.id == photo.id, IS_DRAFT).values(forgotten_at=None)) != 1:
        raise ServiceError("photo_draft_gone")
    db.session.refresh(photo)


def saved_as(token: str) -> Photo | None:
    """Return the photo that a draft was saved as; None when it was not."""
    return _row(token, Photo.employee_id.is_not(None))


def owned(token: str, owner: str) -> tuple[Photo, PhotoDraft]:
    """Return the photo and the draft of an operator; :raises photo_draft_gone: when there is none any more."""
    photo, draft = _row(token, IS_DRAFT), find(token, owner)
    if photo is None or draft is None:
        raise ServiceError("photo_draft_gone")
    return photo, draft


def _keep(checked: inspection.CheckedPhoto, upload: bytes, number: str, about: dict[str, Any]) -> PhotoDraft:
    photo = storage.keep_upload(checked, number)
    about |= {"findings": [vars(finding) for finding in checked.findings], "faces_checked": checked.faces_checked}
    storage.keep_beside(photo, json.dumps(about).encode() + b"\n" + upload)
    own = [path for path in storage.files_beside() if _about(path).get("owner") == about["owner"]]
    _delete([storage.name_beside(path) for path in own[:-MAX_DRAFTS_EACH]])
    return _draft(photo, about)


def _draft(photo: Photo, about: dict[str, Any]) -> PhotoDraft:
    token = f"{photo.id}-{storage.random_part(photo.file)}"
    findings = tuple(Finding(**finding) for finding in about["findings"])
    return PhotoDraft(token, about["owner"], about["turn"], about["cropped"], findings, about["faces_checked"])


def _row(token: str, condition: ColumnElement[bool]) -> Photo | None:
    match = TOKEN.match(token)
    if match is None:
        return None
    statement = select(Photo).where(Photo.id == int(match[1]), condition)
    photo = db.session.execute(statement, execution_options={"populate_existing": True}).scalar_one_or_none()
    if photo is None or not secrets.compare_digest(storage.random_part(photo.file), match[2]):
        return None
    return photo


def _about(path: Path) -> dict[str, Any]:
    """Return the line of JSON of a draft's file; empty when the file is gone."""
    try:
        with path.open("rb") as file:
            about: dict[str, Any] = json.loads(file.readline(MAX_LINE_LENGTH))
            return about
    except FileNotFoundError:
        return {}


def _delete(files: list[str]) -> None:
    if not files:
        return
    drafts = update(Photo).where(Photo.file.in_(files), IS_DRAFT).values(forgotten_at=database_now())
    with transaction():
        gone = list(db.session.execute(drafts.returning(Photo.file)).scalars())
        after_commit(lambda: deletion.remove_at_once(gone))
