"""What a list of the photos of an import shows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from hikflask.models import ImportBatch, ImportRow
from hikflask.services.imports import queries
from hikflask.services.imports.photos import thumbnails

# So many are on the page of the import.
FIRST = 24


@dataclass(frozen=True)
class PhotoList:
    """Rows with a photo, and how many there are in all.

    `available` are the photos of these rows that have a thumbnail, `names` those of the employees.
    """

    rows: Sequence[ImportRow]
    total: int
    available: Collection[str]
    names: Mapping[int, str]


def first_photos(batch: ImportBatch) -> PhotoList:
    """Return the first photos of an import."""
    return photo_list(batch, *queries.photos_page(batch.id, FIRST))


def row_thumbnails(batch: ImportBatch, rows: Sequence[ImportRow]) -> Collection[str]:
    """Return the photos of these rows that have a thumbnail."""
    names = [row.photo for row in rows if row.photo]
    return thumbnails.available(batch.photos_file, names) if names and batch.photos_file else ()


def photo_list(batch: ImportBatch, rows: Sequence[ImportRow], total: int) -> PhotoList:
    """Return a list of these photos."""
    available = thumbnails.available(batch.photos_file, [row.photo for row in rows])
    return PhotoList(rows, total, available, queries.names(rows))
