"""Pictures of faces in the uploads folder: byte for byte from a terminal, encoded anew from an upload.

The row of a picture is committed before its file is written, and all names of a picture share a random part. So a
process that is killed in between leaves no file without a row. Files without a row are ignored, except when their
number is erased: otherwise a mistyped database address would cost every photo.
"""

import hashlib
import logging
import os
import re
import secrets
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

from flask import current_app
from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from hikflask import text_rules
from hikflask.extensions import db
from hikflask.models import Photo
from hikflask.models.columns import database_now
from hikflask.models.people import CAPTURED, UPLOADED
from hikflask.services.core import no_space
from hikflask.services.core.db import after_commit, changed_rows, end_read, transaction
from hikflask.services.core.errors import CaptureSuperseded, PhotoForgotten
from hikflask.services.photos.inspection import CheckedPhoto
from hikflask.services.photos.jpeg_process import baseline_jpeg
from hikflask.signs_of_life import signs

log = logging.getLogger(__name__)

NO_NUMBER = "capture"
HALF_WRITTEN = ".part"
# The uploaded file of a draft, beside its picture (see employees/photo_drafts.py).
DRAFT = ".draft"
# The names of our files, complete or half-written: the number, and the random part that all names of a picture share.
NAME = re.compile(
    rf"\.?(?P<number>{text_rules.NUMBER_PATTERN})_(?P<picture>[\w-]{{22}})\.jpg"
    rf"({re.escape(DRAFT)})?({re.escape(HALF_WRITTEN)})?\Z",
    re.ASCII,
)
# A picture that is not saved within this time was left by a process that died.
UNSAVED_SECONDS = 3600.0


def sha256(picture: bytes) -> str:
    """Return the SHA-256 of a picture in hex."""
    return hashlib.sha256(picture).hexdigest()


def folder() -> Path:
    """Return the uploads folder."""
    return Path(current_app.config["UPLOADS"])


def keep_upload(upload: IO[bytes] | CheckedPhoto, number: str) -> Photo:
    """Store an uploaded picture as a baseline JPEG of at most 200 KB and return its row, which is not saved yet.

    A photo that was checked already is stored as the check returned it.

    :raises BadPhoto: when it is no such picture, has more than 10 MB or more than 40 megapixels.
    :raises PhotosWaiting: when other uploads take too long.
    """
    end_read()  # An upload may have to wait for its turn.
    picture = upload.jpeg if isinstance(upload, CheckedPhoto) else baseline_jpeg(upload)
    return keep(picture, number, UPLOADED)


def keep(picture: bytes, number: str, source: str = CAPTURED) -> Photo:
    """Store a picture as it is, since a terminal's hash is compared later, and commit its row.
    The picture is forgotten in an hour unless save() is called.
    """
    name = f"{_number(number)}_{secrets.token_urlsafe(16)}.jpg"
    photo = Photo(file=name, sha256=sha256(picture), source=source, forgotten_at=database_now(UNSAVED_SECONDS))
    with transaction(alone=True):
        db.session.add(photo)
    _write(photo, folder() / name, picture)
    return photo


def keep_beside(photo: Photo, content: bytes) -> None:
    """Store the upload of a picture that is not saved yet, in a file beside it that only this account can read."""
    _write(photo, beside(photo), content, mode=0o600)


def end_draft(photo: Photo) -> None:
    """Remove the file that keep_beside() wrote, after the commit. Call this before Files.rename()."""
    path = beside(photo)
    after_commit(lambda: path.unlink(missing_ok=True))


def beside(photo: Photo) -> Path:
    """Return the path of the file that keep_beside() wrote."""
    return folder() / f".{photo.file}{DRAFT}"


def files_beside() -> list[Path]:
    """Return the files that keep_beside() wrote, the oldest first."""
    return sorted(folder().glob(f".*{DRAFT}"), key=written_at)


def name_beside(path: Path) -> str:
    """Return the name of the picture that one of files_beside() lies beside."""
    return path.name.removeprefix(".").removesuffix(DRAFT)


def _write(photo: Photo, path: Path, content: bytes, mode: int = 0o666) -> None:
    """Write a file of a picture, and name it while its row is locked: nothing stays when it was erased meanwhile.

    :raises no_space:
    """
    there = update(Photo).where(Photo.id == photo.id).values(source=Photo.source)
    write(path, content, lambda: changed_rows(there) > 0, mode)


def write(path: Path, content: bytes, claim: Callable[[], bool], mode: int = 0o666) -> None:
    """Write a file in the uploads folder; it gets its name only if its row is claimed, within the same transaction.

    :param claim: locks the row that the file belongs to; False when that is gone.
    :raises no_space:
    """
    half = path.with_name(f".{path.name.removeprefix('.')}{HALF_WRITTEN}")
    try:
        with no_space.refused(), open(half, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with transaction(alone=True):
            if claim():
                half.rename(path)
    finally:
        half.unlink(missing_ok=True)


def _number(typed: str) -> str:
    """Return the letters and digits of a typed number: anything else has no place in a file name."""
    return "".join(letter for letter in typed if letter.isascii() and letter.isalnum())[:32] or NO_NUMBER


def save(photo: Photo, employee_id: int | None = None) -> None:
    """Keep a stored picture, and whose it is, in the caller's transaction. :raises file_gone: if it was forgotten."""
    not_forgotten = or_(Photo.forgotten_at.is_(None), Photo.forgotten_at > database_now())
    same = update(Photo).where(Photo.id == photo.id, not_forgotten)
    saved = same.values(forgotten_at=None, employee_id=employee_id or Photo.employee_id).returning(Photo)
    options = {"synchronize_session": False, "populate_existing": True}
    if db.session.execute(saved, execution_options=options).scalar_one_or_none() is None:
        raise CaptureSuperseded("file_gone")


def read_photo(photo: Photo) -> bytes | None:
    """Return the bytes of a photo, or None when its file is lost.

    :raises PhotoForgotten: when the photo's retention has ended.
    """
    # The row is read after the file, so a photo that was forgotten before the file was read is never returned.
    path = path_of(photo)
    try:
        picture = path.read_bytes() if path else None
    except FileNotFoundError:
        picture = None
    if is_forgotten(photo):
        raise PhotoForgotten
    return picture


def read_file(name: str) -> bytes | None:
    """Return the bytes of a file in the uploads folder by its name, or None when it is gone, or there is no name."""
    try:
        return (folder() / name).read_bytes() if name else None
    except FileNotFoundError:
        return None


class Files:
    """The files that are created for a transaction. They are removed when the block of its `with` statement raises."""

    def __init__(self) -> None:
        self._made: list[str] = []
        self._old: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.undo()

    def add(self, photo: Photo) -> Photo:
        """Remove the file of this stored picture, too, when the block raises. Return the picture's row."""
        self._made.append(photo.file)
        return photo

    def rename(self, photo: Photo, number: str) -> str:
        """Name the file after the number. Return its name, for the row. The file of a forgotten photo keeps its name.

        :raises file_gone: when the file is gone from the folder.
        """
        old = photo.file
        if is_named(old, number):
            return old
        new = f"{_number(number)}_{old.partition('_')[2]}"
        try:
            with suppress(FileExistsError):  # Left by a save that was killed: the same picture.
                os.link(folder() / old, folder() / new)
        except FileNotFoundError as error:
            if is_forgotten(photo):
                return old
            raise CaptureSuperseded("file_gone") from error
        self._made.append(new)
        self._old.append(old)
        after_commit(lambda: _remove(old))
        return new

    def undo(self) -> None:
        """Remove the files that were created: the transaction has failed.

        A file that the database has nevertheless stays: the answer to the COMMIT may have been lost, or it is still
        under way, for which the lock waits. When the database does not answer, all stay: the clean-up removes them.
        """
        if not self._made:
            return
        named = select(Photo.file, Photo.forgotten_at).where(Photo.file.in_([*self._made, *self._old]))
        try:
            with transaction(alone=True):
                rows = db.session.execute(named.with_for_update(key_share=True)).all()
                committed = {row.file for row in rows if row.forgotten_at is None}
                gone = [name for name in self._made if name not in committed and _remove(name)]
                db.session.execute(delete(Photo).where(Photo.file.in_(gone), Photo.forgotten_at.is_not(None)))
        except SQLAlchemyError as error:
            log.error("new pictures stay: the database does not tell which are saved (%s)", type(error).__name__)


def unlink(*names: str) -> list[str]:
    """Remove pictures from the uploads folder, under every name that they have there. A missing file is no error.

    Return the names that could not be removed, to be tried again later; the log says why.
    """
    by_picture = _names() if names else {}

    def remove(name: str) -> bool:
        signs.goes_on()  # There may be thousands, on a slow disk.
        return all([_remove(file) for file in {*by_picture.get(random_part(name), ()), name}])

    return [name for name in names if not remove(name)]


def files_without_row(*numbers: str) -> list[str]:
    """Return the files with one of these numbers in their name and without a row, one name for each picture.

    A row is always written before its file, so such a file is no new picture: it came back with a backup, for example.
    """
    names = {
        picture: name
        for picture, names in _names().items()
        for name in names
        if (match := NAME.match(name)) and match["number"] in numbers
    }
    with_row = {random_part(file) for file in db.session.execute(select(Photo.file)).scalars()} if names else set()
    return sorted(name for picture, name in names.items() if picture not in with_row)


def is_named(file: str, number: str) -> bool:
    """Return True when the name of a file begins with this number, and not with a longer one."""
    return file.partition("_")[0] == number


def number_in(file: str) -> str:
    """Return the number that the name of a file begins with, or an empty text."""
    number = file.partition("_")[0]
    return "" if number == NO_NUMBER else number


def _names() -> dict[str, list[str]]:
    """Return the names of our files in the folder, grouped by picture. Links and folders are not ours."""
    names = defaultdict(list)
    with os.scandir(folder()) as entries:
        for entry in entries:
            match = NAME.match(entry.name)
            if match and entry.is_file(follow_symlinks=False):
                names[match["picture"]].append(entry.name)
    return names


def random_part(name: str) -> str:
    """Return the part of a file's name that all names of its picture share, and that nobody can guess."""
    match = NAME.match(name)
    return match["picture"] if match else name


def _remove(name: str) -> bool:
    try:
        (folder() / name).unlink(missing_ok=True)
    except OSError as error:
        log.error("the picture %s cannot be removed (%s)", name, error.strerror)
        return False
    return True


def remove_half_written(older_than: float = 3600.0) -> int:
    """Remove half-written files that a killed process left behind, and what stayed beside drafts; return how many.

    :param older_than: seconds; a younger file may still be being written, and a younger draft may still be saved.
    """
    old = time.time() - older_than
    left = [path for path in (*folder().glob(f".*{HALF_WRITTEN}"), *files_beside()) if written_at(path) < old]
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)


def written_at(path: Path) -> float:
    """Return when a file was last written, in seconds since 1970. One that has just been renamed counts as new."""
    signs.goes_on()  # There may be thousands, on a slow disk.
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return time.time()


def find_by_file(name: str) -> Photo | None:
    """Return the row of a photo by the name of its file; None when there is none, or it is forgotten."""
    statement = select(Photo).where(Photo.file == name, Photo.forgotten_at.is_(None))
    return db.session.execute(statement).scalar_one_or_none()


def is_forgotten(photo: Photo) -> bool:
    """Return True when the photo is forgotten in the database now, whatever was read of the row before."""
    return db.session.execute(select(Photo.forgotten_at).where(Photo.id == photo.id)).scalar() is not None


def path_of(photo: Photo) -> Path | None:
    """Return the path of a photo's file, or None when it is gone or is a link."""
    path = folder() / photo.file
    return path if path.is_file() and not path.is_symlink() else None
