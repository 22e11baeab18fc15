"""Pictures of faces in the uploads folder: kept byte for byte from a terminal, re-encoded from an upload."""

import hashlib
import io
import os
import re
import secrets
import struct
import threading
import time
from pathlib import Path
from typing import IO

from flask import current_app
from PIL import ExifTags, Image, UnidentifiedImageError
from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import Photo
from hikflask.models.photo import CAPTURED, UPLOADED
from hikflask.services.errors import BadPhoto, CaptureLost, PhotoForgotten, PhotoTooLarge, PhotoTooManyPixels

LARGEST_FILE = 10 * 1024 * 1024
MOST_PIXELS = 40_000_000
# libjpeg decodes each scan over the whole picture; cameras and programs write about ten, a bomb thousands.
MOST_SCANS = 100
# What ends the data of a scan: a marker that is neither a stuffed zero nor a restart (ITU T.81, B.1.1.2).
MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
START_OF_SCAN, END_OF_IMAGE = b"\xda", b"\xd9"
WITHOUT_LENGTH = {b"\x01", b"\xd8"}
LARGEST_JPEG = 200 * 1024
LONGEST_SIDE = 1200
SMALLER_SIDES = (LONGEST_SIDE, 1000, 800, 640, 480)
QUALITIES = (90, 82, 74, 66)
NO_NUMBER = "capture"
DRAFT = ".part"
UPRIGHT = 1
# The largest picture takes 600 MB while it is decoded: one after the other.
_DECODING = threading.Lock()
# EXIF orientation → what makes the picture upright (EXIF 2.32, tag 0x0112).
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def sha256(picture: bytes) -> str:
    """Return the SHA-256 of a picture in hex."""
    return hashlib.sha256(picture).hexdigest()


def folder() -> Path:
    """The uploads folder."""
    return Path(current_app.config["UPLOADS"])


def keep_captured(picture: bytes, number: str) -> Photo:
    """Store a terminal's picture as it came (its hash is the proof) and return the row, not yet in a session."""
    return _keep(picture, number, CAPTURED)


def keep_upload(stream: IO[bytes], number: str) -> Photo:
    """Store an uploaded JPEG or PNG as a baseline JPEG of at most 200 KB and return the row, not yet in a session.

    :raises BadPhoto: when it is no such picture, over 10 MB or over 40 megapixels.
    """
    return _keep(baseline_jpeg(stream), number, UPLOADED)


def baseline_jpeg(stream: IO[bytes]) -> bytes:
    """Turn an upload by its EXIF, drop its metadata and encode it as terminals take it: baseline, 4:2:0, ≤ 200 KB.

    :raises BadPhoto: when it is no JPEG or PNG, over 10 MB or over 40 megapixels.
    """
    data = stream.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise PhotoTooLarge
    with _DECODING:
        return _encoded(_decoded(data))


def _decoded(data: bytes) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise PhotoTooManyPixels
            if opened.format != "PNG" and _scans(data) > MOST_SCANS:
                raise BadPhoto
            return _flat(_upright(opened))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoTooManyPixels from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise BadPhoto from error


def _scans(jpeg: bytes) -> int:
    """Return how many scans the first picture of a JPEG has."""
    count, at = 0, 0
    while (found := MARKER.search(jpeg, at)) and found[1] != END_OF_IMAGE:
        at = found.end()
        count += found[1] == START_OF_SCAN
        if found[1] not in WITHOUT_LENGTH:
            at += int.from_bytes(jpeg[at : at + 2], "big")
    return count


def _upright(picture: Image.Image) -> Image.Image:
    """Return the picture turned by its EXIF; EXIF that cannot be read turns nothing."""
    try:
        turn = TURNS.get(picture.getexif().get(ExifTags.Base.Orientation, UPRIGHT))
    except (struct.error, TypeError, ValueError, SyntaxError):
        turn = None
    return picture if turn is None else picture.transpose(turn)


def _flat(picture: Image.Image) -> Image.Image:
    """Return the picture in RGB, without what the file said beside it; what is transparent becomes white."""
    if picture.mode.startswith("I;16"):
        picture = picture.point(lambda value: value / 256).convert("L")
    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        white = Image.new("RGBA", picture.size, "white")
        white.alpha_composite(picture.convert("RGBA"))
        picture = white
    flat = picture.convert("RGB")
    # Pillow would write the file's comment again.
    flat.info.clear()
    return flat


def _encoded(picture: Image.Image) -> bytes:
    """Return the first JPEG, from the best down, that fits into 200 KB."""
    for side in SMALLER_SIDES:
        smaller = picture.copy()
        smaller.thumbnail((side, side))
        for quality in QUALITIES:
            out = io.BytesIO()
            smaller.save(out, "JPEG", quality=quality, subsampling="4:2:0", progressive=False, optimize=False)
            if out.tell() <= LARGEST_JPEG:
                return out.getvalue()
    raise PhotoTooLarge


def _keep(picture: bytes, number: str, source: str) -> Photo:
    name = _fresh_name(number)
    draft = folder() / f".{name}{DRAFT}"
    try:
        with draft.open("xb") as file:
            file.write(picture)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(folder() / name)
    finally:
        draft.unlink(missing_ok=True)
    return Photo(file=name, sha256=sha256(picture), source=source)


def _fresh_name(number: str) -> str:
    """`<number>_<random>.jpg`; what is typed may be anything, so only letters and digits go into a file name."""
    safe = "".join(letter for letter in number if letter.isascii() and letter.isalnum())[:32]
    return f"{safe or NO_NUMBER}_{secrets.token_urlsafe(16)}.jpg"


def read(photo: Photo) -> bytes:
    """Return the picture's bytes."""
    return (folder() / photo.file).read_bytes()


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

    def keep_upload(self, stream: IO[bytes], number: str) -> Photo:
        """Store an upload; see keep_upload()."""
        photo = keep_upload(stream, number)
        self._made.append(photo.file)
        return photo

    def rename(self, photo: Photo, number: str) -> None:
        """Give the file the number's name, when it has another; that of a forgotten photo keeps its own.

        :raises CaptureLost: when the file is gone from the folder.
        """
        if photo.file.startswith(f"{number}_"):
            return
        old, new = photo.file, _fresh_name(number)
        try:
            os.link(folder() / old, folder() / new)
        except FileNotFoundError as error:
            if is_forgotten(photo):
                return
            raise CaptureLost from error
        photo.file = new
        self._made.append(new)
        self._old.append(old)

    def undo(self) -> None:
        """Unlink what was made: the transaction failed."""
        unlink(*self._made)

    def settle(self) -> None:
        """Unlink what nothing points at any more: the transaction is committed."""
        unlink(*self._old)


def unlink(*names: str) -> None:
    """Remove files of the uploads folder; one that is gone already is fine."""
    for name in names:
        (folder() / name).unlink(missing_ok=True)


def forget_drafts(older_than: float = 3600.0) -> int:
    """Remove half-written files that a killed worker left; return how many.

    A whole picture is never removed for want of a row: a mistyped database address would then cost every photo.

    :param older_than: seconds; what is younger may still be being written.
    """
    old = time.time() - older_than
    drafts = [path for path in folder().glob(f".*{DRAFT}") if path.lstat().st_mtime < old]
    for path in drafts:
        path.unlink(missing_ok=True)
    return len(drafts)


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
