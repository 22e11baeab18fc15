"""Pictures of faces in the uploads folder: kept byte for byte from a terminal, re-encoded from an upload.

A picture's row is committed before its file is written, and its names share the random part: so whoever is killed in
between leaves no file that nothing knows of. What no row knows is left alone, save by an erasure of its number: a
mistyped address of the database would otherwise cost every photo.
"""

import hashlib
import logging
import os
import re
import secrets
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import IO

from flask import current_app
from sqlalchemy import delete, or_, select, update

from hikflask import employee_number
from hikflask.extensions import db
from hikflask.models import Photo
from hikflask.models.columns import database_now
from hikflask.models.photo import CAPTURED, UPLOADED
from hikflask.services.core.db import changed_rows
from hikflask.services.core.errors import CaptureLost, PhotoForgotten
from hikflask.services.photos.jpeg_process import baseline_jpeg

log = logging.getLogger(__name__)

NO_NUMBER = "capture"
HALF_WRITTEN = ".part"
# Our own names, whole or half-written: the number, and the random part that a picture keeps under every name.
NAME = re.compile(
    rf"\.?(?P<number>{employee_number.PATTERN})_(?P<picture>[\w-]{{22}})\.jpg({re.escape(HALF_WRITTEN)})?\Z", re.ASCII
)
# What nobody saved by then was left by a process that died.
UNSAVED_SECONDS = 3600.0


def sha256(picture: bytes) -> str:
    """Return the SHA-256 of a picture in hex."""
    return hashlib.sha256(picture).hexdigest()


def folder() -> Path:
    """The uploads folder."""
    return Path(current_app.config["UPLOADS"])


def keep_captured(picture: bytes, number: str) -> Photo:
    """Store a terminal's picture as it came (its hash is the proof) and return its row; see _keep()."""
    return _keep(picture, number, CAPTURED)


def keep_upload(stream: IO[bytes], number: str) -> Photo:
    """Store an uploaded JPEG or PNG as a baseline JPEG of at most 200 KB and return its row; see _keep().

    :raises BadPhoto: when it is no such picture, over 10 MB or over 40 megapixels.
    :raises PhotosWaiting: when other uploads took too long.
    """
    # Whoever waits for a turn keeps no connection from others.
    db.session.commit()
    return _keep(baseline_jpeg(stream), number, UPLOADED)


def _keep(picture: bytes, number: str, source: str) -> Photo:
    """Store a picture under a row that is forgotten in an hour, unless save() keeps it; commits."""
    name = f"{_number(number)}_{secrets.token_urlsafe(16)}.jpg"
    photo = Photo(file=name, sha256=sha256(picture), source=source, forgotten_at=database_now(UNSAVED_SECONDS))
    db.session.add(photo)
    db.session.commit()
    _write(name, picture)
    return photo


def _write(name: str, picture: bytes) -> None:
    draft = folder() / f".{name}{HALF_WRITTEN}"
    try:
        with draft.open("xb") as file:
            file.write(picture)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(folder() / name)
    finally:
        draft.unlink(missing_ok=True)


def _number(typed: str) -> str:
    """What is typed may be anything, so only letters and digits go into a file name."""
    return "".join(letter for letter in typed if letter.isascii() and letter.isalnum())[:32] or NO_NUMBER


def save(photo: Photo) -> None:
    """Let a picture stay, within the caller's transaction.

    :raises CaptureLost: when it was forgotten or erased meanwhile.
    """
    here_still = or_(Photo.forgotten_at.is_(None), Photo.forgotten_at > database_now())
    mine = update(Photo).where(Photo.id == photo.id, here_still)
    if changed_rows(mine.values(forgotten_at=None)) != 1:
        raise CaptureLost
    db.session.refresh(photo)


def to_send(photo: Photo) -> bytes | None:
    """Return the picture's bytes, or None when its file was lost.

    The row is asked after the file was read, so what is returned was not forgotten when it was read.

    :raises PhotoForgotten: when its retention has ended.
    """
    path = path_of(photo)
    try:
        picture = path.read_bytes() if path else None
    except FileNotFoundError:
        picture = None
    forgotten = is_forgotten(photo)
    db.session.commit()
    if forgotten:
        raise PhotoForgotten
    return picture


class Files:
    """The files that a transaction made and those it made superfluous; which go is known only at its end."""

    def __init__(self) -> None:
        self._made: list[str] = []
        self._old: list[str] = []

    def keep_captured(self, picture: bytes, number: str) -> Photo:
        """Store a terminal's picture; see keep_captured()."""
        return self._kept(keep_captured(picture, number))

    def keep_upload(self, stream: IO[bytes], number: str) -> Photo:
        """Store an upload; see keep_upload()."""
        return self._kept(keep_upload(stream, number))

    def _kept(self, photo: Photo) -> Photo:
        self._made.append(photo.file)
        return photo

    def rename(self, photo: Photo, number: str) -> None:
        """Give the file the number's name, when it has another; that of a forgotten photo keeps its own.

        :raises CaptureLost: when the file is gone from the folder.
        """
        if is_named(photo.file, number):
            return
        old = photo.file
        new = f"{_number(number)}_{old.partition('_')[2]}"
        try:
            with suppress(FileExistsError):  # Left by a save that was killed: the same picture.
                os.link(folder() / old, folder() / new)
        except FileNotFoundError as error:
            if is_forgotten(photo):
                return
            raise CaptureLost from error
        photo.file = new
        self._made.append(new)
        self._old.append(old)

    def undo(self) -> None:
        """Remove what was made: the transaction failed."""
        gone = [name for name in self._made if _remove(name)]
        db.session.execute(delete(Photo).where(Photo.file.in_(gone), Photo.forgotten_at.is_not(None)))
        db.session.commit()

    def settle(self) -> None:
        """Remove the names that nothing points at any more: the transaction is committed."""
        for name in self._old:
            _remove(name)


def unlink(*names: str) -> list[str]:
    """Remove pictures from the uploads folder, under each name that a save may have left; gone already is fine.

    Return those that could not be removed, for the caller to come back to; the log says why.
    """
    others = _names() if names else {}
    return [name for name in names if not all([_remove(one) for one in {*others.get(_picture(name), ()), name}])]


def strays(*numbers: str) -> list[str]:
    """Return a name of each picture that bears one of these numbers and that no row knows.

    A row comes before its file, so this is nobody's picture, however young: it came from a backup, or its row did not.
    """
    found = {
        picture: one
        for picture, names in _names().items()
        for one in names
        if (match := NAME.match(one)) and match["number"] in numbers
    }
    known = {_picture(file) for file in db.session.execute(select(Photo.file)).scalars()} if found else set()
    return sorted(name for picture, name in found.items() if picture not in known)


def is_named(file: str, number: str) -> bool:
    """True when the file bears this number, and no longer one that begins alike."""
    return file.partition("_")[0] == number


def _names() -> dict[str, list[str]]:
    """Return the names of ours in the folder, by picture; what is no file, or a link to one elsewhere, is not ours."""
    found = defaultdict(list)
    with os.scandir(folder()) as entries:
        for entry in entries:
            match = NAME.match(entry.name)
            if match and entry.is_file(follow_symlinks=False):
                found[match["picture"]].append(entry.name)
    return found


def _picture(name: str) -> str:
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
    """Remove half-written files that a killed process left; return how many.

    A whole picture is never removed for want of a row: a mistyped database address would then cost every photo.

    :param older_than: seconds; what is younger may still be being written.
    """
    old = time.time() - older_than
    left = [path for path in folder().glob(f".*{HALF_WRITTEN}") if _written_at(path) < old]
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)


def _written_at(path: Path) -> float:
    """Seconds since 1970; that of a file which has just got its name is now."""
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return time.time()


def row(name: str) -> Photo | None:
    """Return the row of a photo by its file's name, or None; a forgotten one is none."""
    known = select(Photo).where(Photo.file == name, Photo.forgotten_at.is_(None))
    return db.session.execute(known).scalar_one_or_none()


def is_forgotten(photo: Photo) -> bool:
    """True when the photo's retention has ended by now, whatever was read of the row before."""
    return db.session.execute(select(Photo.forgotten_at).where(Photo.id == photo.id)).scalar() is not None


def path_of(photo: Photo) -> Path | None:
    """Return where a photo's file is, or None when it is gone or is a link to something else."""
    path = folder() / photo.file
    return path if path.is_file() and not path.is_symlink() else None
