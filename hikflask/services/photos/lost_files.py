"""Photos whose files are gone, as where another disk, an empty one, is in the place of the uploads folder."""

import os
from contextlib import suppress

from sqlalchemy import Row, select

from hikflask.extensions import db
from hikflask.models import Photo
from hikflask.services.core.db import end_read
from hikflask.services.photos import storage

IS_KEPT = Photo.forgotten_at.is_(None)
# So many of the oldest photos, and of the newest, stand for all: each health check asks.
SAMPLE = 10


def find() -> tuple[list[Row[int, str, str]], int]:
    """Return `id`, `file` and `sha256` of the photos whose files are lost, and how many photos there are."""
    lost, count = _find()
    if lost:
        # A file that a save renamed between the two reads has its new name in the next ones.
        ids = {row.id for row in lost}
        lost = [row for row in _find()[0] if row.id in ids]
    return lost, count


def _find() -> tuple[list[Row[int, str, str]], int]:
    kept = db.session.execute(select(Photo.id, Photo.file, Photo.sha256).where(IS_KEPT).order_by(Photo.id)).all()
    end_read()
    names: set[str] = set()
    with suppress(FileNotFoundError):
        names.update(os.listdir(storage.folder()))
    return [row for row in kept if row.file not in names], len(kept)


def most_are_lost() -> bool:
    """Return True when half of the oldest and newest photos have lost their files: others may have, too."""
    kept = select(Photo.file).where(IS_KEPT).limit(SAMPLE)
    both = (kept.order_by(Photo.id), kept.order_by(Photo.id.desc()))
    sample = {file for some in both for file in db.session.execute(some).scalars()}
    lost = sum(not (storage.folder() / file).exists() for file in sample)
    return bool(sample) and 2 * lost >= len(sample)
