"""The pictures of an import's archive: each is checked in the dry run, and stored as a photo in the import."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from hikflask.models import ImportBatch, Photo
from hikflask.models.refusal import Refusal
from hikflask.services.core.db import end_read
from hikflask.services.core.errors import BadPhoto, PhotosWaiting, ServiceError, refusal_of
from hikflask.services.import_files import photo_archive, stored_files
from hikflask.services.import_files.photo_archive import Contents
from hikflask.services.imports.classify import Picture
from hikflask.services.photos import inspection_checks, storage
from hikflask.services.photos.inspection import PhotoCheck

# Somebody at a page waits for these places, too, and goes first. In seconds; with the last try it must take less than
# a worker may be silent.
PATIENCE, PAUSE = 25.0, 1.0
# What is said of a photo that comes in all the same.
WARNINGS = {inspection_checks.DARK, inspection_checks.BRIGHT, inspection_checks.BLURRED}
# Of a file in an archive, where it is named beside another one.
MAX_NAME = 100
Result = TypeVar("Result")


def contents(batch: ImportBatch) -> Contents:
    """Return the pictures of an import's archive.

    :raises BadArchive: :raises import_file_gone: when the archive was removed.
    """
    if not batch.photos_name:
        return Contents()
    path = stored_files.path_of(batch.photos_file)
    if not batch.photos_file or not path.is_file():
        raise ServiceError("import_file_gone")
    return photo_archive.read_contents(path)


def version(batch: ImportBatch) -> photo_archive.Version | None:
    """Return what tells an archive from the one that an erasure writes in its place; None when there is none."""
    if not batch.photos_file:
        return None
    with suppress(FileNotFoundError):
        return photo_archive.version(stored_files.path_of(batch.photos_file))
    return None


def check_picture(archive: Path, names: list[str], check: PhotoCheck) -> Picture:
    """Check the picture of a number: two of them are wrong, and one that a terminal is expected to refuse.

    A dark, bright or blurred one is warned of. Of two, the first has a thumbnail.

    :param names: those of the number's pictures in the archive.
    :param check: PhotoInspector.check().
    """
    name = names[0]
    if len(names) > 1:
        others = ", ".join(other[-MAX_NAME:] for other in names[1:4])
        twice = Refusal(code="photo_twice", params={"others": others})
        return Picture(name, error=twice, thumbnail=thumbnail_of(archive, name, check))
    try:
        checked = _retry_while_busy(lambda: check(photo_archive.read(archive, name)))
    except (BadPhoto, PhotosWaiting) as error:
        return Picture(name, error=refusal_of(error))
    serious = next((finding for finding in checked.findings if finding.serious), None)
    odd = next((finding for finding in checked.findings if finding.code in WARNINGS), None)
    refusal, warning = (Refusal(code=each.code, params=each.params) if each else None for each in (serious, odd))
    return Picture(name, storage.sha256(checked.jpeg), refusal, warning, checked.thumbnail)


def thumbnail_of(archive: Path, name: str, check: PhotoCheck) -> bytes:
    """Return the thumbnail of a picture that comes to nobody; nothing where it is none."""
    try:
        return _retry_while_busy(lambda: check(photo_archive.read(archive, name))).thumbnail
    except (BadPhoto, PhotosWaiting):
        return b""


def store_photo(files: storage.Files, batch: ImportBatch, name: str, number: str) -> Photo:
    """Store a picture of the archive as a photo that is not saved yet; see storage.keep_upload().

    :raises import_photo_gone: when it is gone from the archive. :raises BadPhoto: :raises PhotosWaiting:
    """
    end_read()
    path = stored_files.path_of(batch.photos_file)
    if not batch.photos_file or not path.is_file():
        raise ServiceError("import_photo_gone")
    return _retry_while_busy(lambda: files.add(storage.keep_upload(photo_archive.read(path, name), number)))


def _retry_while_busy(work: Callable[[], Result]) -> Result:
    """Return the result of the work, which is tried again while others have their photos decoded.

    :raises PhotosWaiting: after some time.
    """
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            return work()
        except PhotosWaiting:
            time.sleep(PAUSE)
    return work()
