"""Makes a backup while everything runs: first one moment of the database, then the photos that it knows.

The file is written beside its place, as a hidden file with the ending .part, and renamed when it is complete and on the
disk. So a backup that is killed leaves the file that was there before, and the next one to the same place clears the
rest.
"""

import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from alembic.migration import MigrationContext
from flask import current_app
from sqlalchemy import Connection, Select, create_engine, func, inspect, select
from sqlalchemy.exc import DatabaseError, OperationalError

from hikflask import disk_space
from hikflask.encryption import key_file
from hikflask.extensions import db, vault
from hikflask.models import Photo
from hikflask.services.backups import BackupError, archive, keys, postgresql, records, revisions, sqlite, staging
from hikflask.services.backups.archive import DATABASES, KEYS, PHOTOS, Manifest, Writer
from hikflask.services.backups.keys import Keys
from hikflask.services.core.db import end_read
from hikflask.services.photos import storage
from hikflask.version import VERSION

PART = ".part"
# The text of the password check; its secrecy does not matter.
CHECKED = "hikflask"
# In the tables of this revision no photo is forgotten.
FIRST_REVISION = "0001"
# The id of each photo's row, and the name of its file.
Photos = list[tuple[int, str]]
LAST_WITH_PHOTOS = (
    "The files of {} photos are missing, and {} has photos that this backup would not have, so it stays: put them back "
    "from there with `hikflask restore --photos`, or back up to another file."
)
ROTATED = re.compile(r"hikflask-\d{8}-\d{6}\.tar\Z")


def create_in(folder: Path, keep: int, passphrase: str | None = None) -> tuple[Path, Manifest]:
    """Make a backup named after the time in a folder, and delete the oldest such files but `keep`.

    Of the oldest, those stay that have photos which are missing by now.

    :return: the file, and what is in it.
    :raises BackupError: when it is not made; then nothing is deleted.
    """
    path = folder / f"hikflask-{datetime.now(UTC):%Y%m%d-%H%M%S}.tar"
    manifest = create(path, passphrase, "hikflask")
    older = sorted(file for file in folder.iterdir() if ROTATED.match(file.name) and file != path)
    surplus = older[: max(0, len(older) + 1 - keep)]
    needed = set(backups_with(manifest.missing, older)) if surplus else set()
    for file in surplus:
        if file not in needed:
            file.unlink(missing_ok=True)
    return path, manifest


def backups_with(missing: Sequence[str], files: Sequence[Path]) -> Iterator[Path]:
    """Yield those of some backups that lost photos can be taken from: for each photo the newest that has it.

    The newest backup that lacks nothing is the last one that is read: older ones have no more.

    :param missing: the names of the photos' files. :param files: the backups, the oldest first.
    """
    wanted = set(missing)
    for file in reversed(files if wanted else ()):
        with suppress(BackupError), archive.opened(file) as backup:
            manifest = backup.manifest
            if not manifest.missing or not wanted.isdisjoint(manifest.photos):
                yield file
            if not manifest.missing:
                return
            wanted.difference_update(manifest.photos)


def create(path: Path, passphrase: str | None = None, place: str = "") -> Manifest:
    """Make a backup, and return what is in it. An earlier file of this name is replaced when the new one is complete.

    :param passphrase: back up the keys, too, encrypted under it.
    :param place: names what only one backup is made to at a time; "" for the file.
    :raises BackupError: when it is not made; an earlier file is still there.
    """
    folders = path.absolute().parent, Path(current_app.config["INSTANCE_PATH"])
    try:
        with _part(path.parent / f".{place or path.name}{PART}") as (file, part):
            manifest = _write(file, part.with_name(f"{part.name}.db"), passphrase)
            if next(backups_with(manifest.missing, [path]), None):
                raise BackupError(LAST_WITH_PHOTOS.format(len(manifest.missing), path))
            file.flush()
            os.fsync(file.fileno())
            size = os.fstat(file.fileno()).st_size
            os.replace(part, path)
            key_file.sync(path.parent)
    except OSError as error:
        raise BackupError(
            disk_space.explain(error, *folders) or f"{path} cannot be written: {error.strerror}."
        ) from error
    except OperationalError as error:
        if not (why := disk_space.explain(error, *folders)):
            raise  # There is no database, for example.
        raise BackupError(why) from error
    if any(manifest.rows[name] for name in manifest.rows.keys() - records.IGNORED_TABLES):
        staging.clear_leftovers()
    if manifest.revision in revisions.heads():  # Else it is the backup before a migration.
        records.add(manifest, size)
    return manifest


@contextmanager
def _part(part: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """Open the file that becomes the backup, alone. What a killed backup left is overwritten."""
    with open(os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_alone = os.fstat(file.fileno()).st_ino == part.stat().st_ino
        except (BlockingIOError, FileNotFoundError):
            is_alone = False
        if not is_alone:
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
    kept = _kept_photos(manifest.revision)
    missing = [photo_id for photo_id, name in photos if not _add_photo(writer, kept, photo_id, name)]
    if passphrase is not None:
        config = current_app.config
        file_of_key = config["PASSWORD_KEY_FILE"]
        # Another process may have changed the key file since this one began.
        password_key = Path(file_of_key).read_text(encoding="ascii") if file_of_key else config["PASSWORD_KEY"]
        writer.add_bytes(KEYS, keys.sealed(Keys(config["SECRET_KEY"], password_key.strip()), passphrase))
    # A photo that was deleted meanwhile is not missing.
    manifest = replace(manifest, missing=[name for photo_id in missing if (name := _present_name(kept, photo_id))])
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
            contents = _read_contents(connection, kind, taken_at)
        engine.dispose()
        return contents
    with db.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        snapshot = connection.execute(select(func.pg_export_snapshot())).scalar_one()
        contents = _read_contents(connection, kind, taken_at)
        postgresql.dump(connection, snapshot, copy)
        return contents


def _read_contents(connection: Connection, kind: str, taken_at: datetime) -> tuple[Manifest, Photos]:
    # Before a migration, some of today's tables are not there yet.
    names = set(inspect(connection).get_table_names())
    rows = {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in db.metadata.sorted_tables
        if table.name in names
    }
    revision = MigrationContext.configure(connection).get_current_revision() or ""
    kept = _kept_photos(revision).order_by(Photo.id)
    photos: Photos = [(photo_id, name) for photo_id, name in connection.execute(kept)]
    check = vault.encrypt(CHECKED)
    return Manifest(taken_at, revision, kind, check, rows=rows, app=VERSION), photos


def _kept_photos(revision: str) -> Select[int, str]:
    """Select the photos whose files are kept, from tables of this revision."""
    photos = select(Photo.id, Photo.file)
    return photos if revision == FIRST_REVISION else photos.where(Photo.forgotten_at.is_(None))


def _add_photo(writer: Writer, kept: Select[int, str], photo_id: int, name: str) -> bool:
    """Add a photo under the name that the copied database has; False when its file is not there."""
    content = _opened(name) or _opened(_present_name(kept, photo_id))
    if content is None:
        return False
    with content:
        writer.add(f"{PHOTOS}{name}", content, os.fstat(content.fileno()).st_size)
    return True


def _opened(name: str | None) -> IO[bytes] | None:
    with suppress(OSError):
        return open(os.open(storage.folder() / name, os.O_RDONLY | os.O_NOFOLLOW), "rb") if name else None
    return None


def _present_name(kept: Select[int, str], photo_id: int) -> str | None:
    """Return the name that a photo's file has by now, or None when the photo was deleted."""
    photo = db.session.execute(kept.where(Photo.id == photo_id)).one_or_none()
    end_read()  # The files that follow may take minutes.
    return photo.file if photo else None
