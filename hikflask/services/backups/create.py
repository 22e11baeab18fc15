"""Makes a backup while everything runs: first one moment of the database, then the photos that it knows.

The file is written beside its place, as a hidden file with the ending .part, and renamed when it is complete and on the
disk. So a backup that is killed leaves the file that was there before, and the next one to the same place clears the
rest.
"""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from alembic.migration import MigrationContext
from flask import current_app
from sqlalchemy import Connection, create_engine, func, inspect, select
from sqlalchemy.exc import DatabaseError, OperationalError

from hikflask.extensions import db, vault
from hikflask.models import Photo
from hikflask.services.backups import keys, postgresql, records, revisions, sqlite, staging
from hikflask.services.backups.archive import DATABASES, KEYS, PHOTOS, Manifest, Writer
from hikflask.services.backups.errors import BackupError
from hikflask.services.backups.keys import Keys
from hikflask.services.core.db import end_read
from hikflask.services.photos import storage
from hikflask.version import VERSION

PART = ".part"
# What stands in the password check; its secrecy does not matter.
CHECKED = "hikflask"
# The id of each photo's row, and the name of its file.
Photos = list[tuple[int, str]]
ROTATED = re.compile(r"hikflask-\d{8}-\d{6}\.tar\Z")


@dataclass(frozen=True)
class Made:
    """A backup that was made: its file, and what is in it."""

    path: Path
    manifest: Manifest


def create(path: Path, passphrase: str | None = None) -> Made:
    """Make a backup. A file that is there already is replaced when the new one is complete.

    :param passphrase: back up the keys, too, encrypted under it.
    :raises BackupError: when it is not made; what was there before is there still.
    """
    return _create(path, path.name, passphrase)


def create_in(folder: Path, keep: int, passphrase: str | None = None) -> Made:
    """Make a backup named after the time in a folder, and delete the oldest such files but `keep`.

    :raises BackupError: when it is not made; then nothing is deleted.
    """
    path = folder / f"hikflask-{datetime.now(UTC):%Y%m%d-%H%M%S}.tar"
    made = _create(path, "hikflask", passphrase)
    others = sorted(one for one in folder.iterdir() if ROTATED.match(one.name) and one != path)
    for old in others[: max(0, len(others) + 1 - keep)]:
        old.unlink(missing_ok=True)
    return made


def _create(path: Path, place: str, passphrase: str | None) -> Made:
    try:
        with _part(path.parent / f".{place}{PART}") as (file, part):
            manifest = _write(file, part.with_name(f"{part.name}.db"), passphrase)
            file.flush()
            os.fsync(file.fileno())
            size = os.fstat(file.fileno()).st_size
            os.replace(part, path)
            staging.sync(path.parent)
    except OSError as error:
        raise BackupError(f"{path} cannot be written: {error.strerror}.") from error
    if any(manifest.rows[name] for name in manifest.rows.keys() - records.NOTHING):
        staging.clear_leftovers()
    if manifest.revision in revisions.heads():  # Else it is the backup before a migration.
        records.add(manifest, size)
    return Made(path, manifest)


@contextmanager
def _part(part: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """Open the file that becomes the backup, alone. What a killed backup left is overwritten."""
    with open(os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_mine = os.fstat(file.fileno()).st_ino == part.stat().st_ino
        except (BlockingIOError, FileNotFoundError):
            is_mine = False
        if not is_mine:
            raise BackupError("Another backup to the same place is being made.")
        os.fchmod(file.fileno(), 0o600)
        file.truncate(0)
        try:
            yield file, part
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        finally:
            sqlite.remove(part.with_name(f"{part.name}.db"))


def _write(file: IO[bytes], copy: Path, passphrase: str | None) -> Manifest:
    sqlite.remove(copy)
    # Whatever changes from now on is newer than the backup.
    taken_at = datetime.now(UTC)
    manifest, photos = _copy_database(copy, taken_at)
    writer = Writer(file)
    with open(copy, "rb") as content:
        writer.add(DATABASES[manifest.database], content, copy.stat().st_size)
    copy.unlink()
    missing = [photo_id for photo_id, name in photos if not _add_photo(writer, photo_id, name)]
    if passphrase is not None:
        writer.add_bytes(KEYS, keys.sealed(_present_keys(), passphrase))
    manifest = replace(manifest, missing=_lost(missing))
    writer.close(manifest)
    return replace(manifest, members=writer.members)


def _copy_database(copy: Path, taken_at: datetime) -> tuple[Manifest, Photos]:
    """Copy one moment of the database; return what is in it, and its photos."""
    db.session.remove()
    kind = db.engine.dialect.name
    if kind == "sqlite":
        try:
            with db.engine.connect() as connection:
                sqlite.copy(connection, copy)
        except OperationalError:  # There is none, for example.
            raise
        except DatabaseError as error:
            raise BackupError(sqlite.DAMAGED.format(error.orig)) from error
        engine = create_engine(f"sqlite:///{copy}")
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
            found = _look(connection, kind, taken_at)
        engine.dispose()
        return found
    with db.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        snapshot = connection.execute(select(func.pg_export_snapshot())).scalar_one()
        found = _look(connection, kind, taken_at)
        postgresql.dump(connection, snapshot, copy)
        return found


def _look(connection: Connection, kind: str, taken_at: datetime) -> tuple[Manifest, Photos]:
    # Before a migration, some of today's tables are not there yet.
    known = set(inspect(connection).get_table_names())
    rows = {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in db.metadata.sorted_tables
        if table.name in known
    }
    kept = select(Photo.id, Photo.file).where(Photo.forgotten_at.is_(None)).order_by(Photo.id)
    photos = [(photo_id, name) for photo_id, name in connection.execute(kept)]
    revision = MigrationContext.configure(connection).get_current_revision() or ""
    check = vault.encrypt(CHECKED)
    return Manifest(taken_at, revision, kind, check, rows=rows, app=VERSION), photos


def _add_photo(writer: Writer, photo_id: int, name: str) -> bool:
    """Add a photo under the name that the copied database has; False when its file is not there."""
    content = _opened(name) or _opened(_present_name(photo_id))
    if content is None:
        return False
    with content:
        writer.add(f"{PHOTOS}{name}", content, os.fstat(content.fileno()).st_size)
    return True


def _opened(name: str | None) -> IO[bytes] | None:
    if name is None:
        return None
    try:
        return open(os.open(storage.folder() / name, os.O_RDONLY | os.O_NOFOLLOW), "rb")
    except OSError:
        return None


def _present_name(photo_id: int) -> str | None:
    """Return the name that a photo's file has by now, or None when the photo was deleted."""
    kept = select(Photo.file).where(Photo.id == photo_id, Photo.forgotten_at.is_(None))
    name = db.session.execute(kept).scalar_one_or_none()
    end_read()  # The files that follow may take minutes.
    return name


def _lost(missing: list[int]) -> list[str]:
    """Return the names of those of these photos that were not deleted meanwhile."""
    return [name for photo_id in missing if (name := _present_name(photo_id))]


def _present_keys() -> Keys:
    config = current_app.config
    file = config["PASSWORD_KEY_FILE"]
    # Another process may have changed the key file since this one began.
    password_key = Path(file).read_text(encoding="ascii") if file else config["PASSWORD_KEY"]
    return Keys(config["SECRET_KEY"], password_key.strip())
