"""Thumbnails of the photos of an import, made by the dry run and shown on the import's page.

They are kept in an archive beside the archive of photos, under the same names, and are removed with it. Whoever is
erased is taken out of both.
"""

from collections.abc import Callable, Collection
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from zipfile import ZipFile

from sqlalchemy import select

from hikflask.models import ImportRow
from hikflask.services import audit
from hikflask.services.core import no_space
from hikflask.services.core.errors import BadArchive, BadPhoto
from hikflask.services.import_files import photo_archive, stored_files


class Thumbnails:
    """The thumbnails of one dry run, which nobody sees before publish()."""

    def __init__(self) -> None:
        self._file = TemporaryFile(dir=stored_files.folder())  # noqa: SIM115 - close() closes it
        self._archive = ZipFile(self._file, "w")

    def add(self, name: str, thumbnail: bytes) -> None:
        """Add the thumbnail of a picture, if it has one, under the name that the picture has in its row.

        :raises no_space:
        """
        if thumbnail and name not in self._archive.NameToInfo:
            with no_space.refused():
                self._archive.writestr(name, thumbnail)

    def publish(self, photos_file: str, require: Callable[[], None]) -> None:
        """Store the thumbnails beside the archive of photos.

        :param require: raises when the archive is not the one any more that they were made of; nobody writes it anew
            meanwhile.
        :raises no_space:
        """
        self._archive.close()
        self._file.seek(0)
        with no_space.refused(), stored_files.written_alone():
            require()
            with stored_files.replaced(stored_files.beside(photos_file)) as file:
                copyfileobj(self._file, file)

    def close(self) -> None:
        """Forget what was not published."""
        self._archive.close()
        self._file.close()


def path_of(photos_file: str) -> Path:
    """Return where the thumbnails of an archive are, or would be."""
    return stored_files.path_of(stored_files.beside(photos_file))


def available(photos_file: str, names: Collection[str]) -> set[str]:
    """Return which of these pictures have a thumbnail."""
    if not photos_file or not path_of(photos_file).is_file():
        return set()
    try:
        return photo_archive.names_among(path_of(photos_file), names)
    except BadArchive:
        return set()


def read(photos_file: str, name: str) -> bytes | None:
    """Return the thumbnail of a picture, as a JPEG, or None when it has none."""
    if not available(photos_file, [name]):
        return None
    try:
        return photo_archive.read(path_of(photos_file), name).read()
    except BadPhoto:  # Taken out at this moment.
        return None


def record_view(row: ImportRow) -> None:
    """Record that the actor viewed the photo of a row."""
    seen = select(ImportRow.id).where(ImportRow.id == row.id, ImportRow.number == row.number)
    audit.record_photo_view(None, f"import {row.batch_id}", row.number, seen)
