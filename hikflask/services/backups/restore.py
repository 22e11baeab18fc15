"""Restores a backup into an empty installation, all or nothing, or only checks that it could.

Everything is read and proven first. The photos and keys come to their places before the database, and the database in
one step: a renamed file, or one transaction. Until then the installation is as empty as before, and a restore that is
killed begins anew.
"""

import os
import shutil
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import current_app
from sqlalchemy import Delete, Insert, Update, create_engine, delete, insert, inspect, select, update
from sqlalchemy.exc import DBAPIError

from hikflask.encryption import key_file
from hikflask.extensions import Base, db
from hikflask.models import (
    AuditEntry,
    Comparison,
    Event,
    Heartbeat,
    Job,
    OperatorSession,
    Photo,
    Terminal,
    WebhookDelivery,
)
from hikflask.models.columns import database_now
from hikflask.models.job import DRAFT, OPEN, STOPPED
from hikflask.services import audit
from hikflask.services.backups import BackupError, archive, keys, postgresql, records, revisions, sqlite, staging
from hikflask.services.backups.archive import DATABASES, PHOTOS, Manifest, Reader
from hikflask.services.backups.keys import Keys
from hikflask.services.core import heartbeat, no_space
from hikflask.services.core.db import changed_rows
from hikflask.services.photos import lost_files, storage

# How the tables of the queue begin, and those of SQLite's index of names.
NOT_OURS = ("huey_", "employee_words", "employee_terms", "sqlite_")
ROOM = "There is not enough room in {}: {:,} MB more are needed."
COPY_TO = (
    "This backup is of {there}, and this installation is on {here}. Restore it on {there}, and move it with "
    "`flask --app wsgi database copy-to`."
)
NO_KEY = (
    "The password key does not open the terminals' passwords in this backup. Put the key file of then to {}, give the "
    "passphrase of the backup's keys, or restore with --without-key and type the terminals' passwords again."
)
NOT_EMPTY = "This installation is not empty: it has {}. A backup is restored into an empty one alone."


def check(path: Path, passphrase: str | None = None) -> tuple[Manifest, bool]:
    """Prove that a backup can be restored here; return its manifest, and whether a key for its passwords is here.

    The installation is not changed, and need not be empty.

    :raises BackupError: with what is wrong.
    """
    with archive.opened(path) as backup:
        return backup.manifest, _checked(backup, passphrase)[1]


def restore(path: Path, passphrase: str | None = None, *, without_key: bool = False) -> Manifest:
    """Restore a backup into this installation, which must be empty and stopped; return what was restored.

    :param without_key: restore also when no key opens the terminals' passwords.
    :raises BackupError: when nothing was restored, with the reason.
    """
    _refuse_unless_empty()
    with archive.opened(path) as backup:
        opened, fits = _checked(backup, passphrase)
        if not (fits or without_key):
            raise BackupError(NO_KEY.format(Path(current_app.config["INSTANCE_PATH"]) / "password_key"))
        with staging.held() as place:
            _refuse_unless_empty()  # Another restore may have ended a moment ago.
            # The database is there twice for a moment: with the log of its migration, or as SQL.
            size, members = backup.manifest.size, backup.manifest.members
            lacking = size + 2 * members[DATABASES[backup.manifest.database]][0] - shutil.disk_usage(place).free
            if lacking > 0:
                raise BackupError(ROOM.format(place.parent, lacking // 10**6 + 1))
            try:
                _restore(backup, opened, place)
            except OSError as error:
                why = no_space.explain(error) or f"The backup cannot be restored: {error.strerror}."
                raise BackupError(why) from error
            except DBAPIError as error:
                why = no_space.explain(error) or f"The database in the backup cannot be used: {_first_line(error)}"
                raise BackupError(why) from error
        return backup.manifest


def put_photos_back(path: Path) -> int:
    """Put back from a backup the photos whose files are lost here, while everything runs; return how many.

    They are known by their content, since a file has another name once an ID was changed.

    :raises BackupError: when the backup cannot be used.
    """
    with archive.opened(path) as backup:
        members = {sha256: name for name, (_, sha256) in backup.manifest.members.items() if name.startswith(PHOTOS)}
        lost, _count = lost_files.find()
        found = [(photo, members[photo.sha256]) for photo in lost if photo.sha256 in members]
        try:
            for photo, name in found:
                _put_back(photo.id, photo.file, b"".join(backup.chunks(name)))
        except OSError as error:
            raise BackupError(no_space.explain(error) or f"{error.filename}: {error.strerror}.") from error
    return len(found)


def _put_back(photo_id: int, file: str, picture: bytes) -> None:
    same = update(Photo).where(Photo.id == photo_id, Photo.file == file, lost_files.IS_KEPT)
    path = storage.folder() / file
    # Nothing stays of one that is deleted at this moment.
    storage.write(path, picture, lambda: changed_rows(same.values(source=Photo.source)) > 0)
    if path.exists():
        staging.give_to_service(path)


# --- what is checked ---


def _checked(backup: Reader, passphrase: str | None) -> tuple[Keys | None, bool]:
    """Return the keys of the backup if a passphrase is given, and whether they, or those here, open the passwords."""
    manifest, here = backup.manifest, db.engine.dialect.name
    if manifest.database != here:
        names = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
        raise BackupError(COPY_TO.format(there=names[manifest.database], here=names[here]))
    revisions.refuse_unknown(manifest.revision)
    backup.verify()
    opened = None
    if passphrase is not None:
        if not manifest.has_keys:
            raise BackupError("This backup has no keys, so it needs no passphrase.")
        opened = keys.opened(backup.keys(), passphrase)
    current = current_app.config["PASSWORD_KEY"]
    # A key that the setting gives is the one that is used, whatever a file holds.
    used = opened.password_key if opened and current_app.config["PASSWORD_KEY_FILE"] else current
    fits = False
    with suppress(InvalidToken, ValueError):
        ciphers = [Fernet(key.encode()) for key in key_file.split(used)]
        MultiFernet(ciphers).decrypt(manifest.password_check.encode())
        fits = True
    return opened, fits


def _refuse_unless_empty() -> None:
    """Refuse to restore over rows or files, and while the installation is in use. :raises BackupError:"""
    used = used_table()
    if used:
        staging.clear_leftovers()
        raise BackupError(NOT_EMPTY.format(f"rows in the table {used}"))
    place = _sqlite_file()
    if place is None or place.exists():
        try:
            if inspect(db.engine).has_table(Heartbeat.__tablename__) and heartbeat.alive():
                raise BackupError(sqlite.LOCKED)
        finally:
            db.session.remove()
            db.engine.dispose()
    if place is not None and place.exists():
        sqlite.merge_log(place)
    uploads = Path(current_app.config["UPLOADS"])
    if {path.name for path in uploads.iterdir()} - staging.moved():
        raise BackupError(NOT_EMPTY.format(f"files in {uploads}"))


def used_table() -> str:
    """Return the name of a table in which something is stored, or an empty text; tables of any version are read.

    :raises BackupError: when the database does not answer, or a restore runs.
    """
    place = _sqlite_file()
    if place is not None and not place.exists():
        return ""
    try:
        with db.engine.connect() as connection:
            if place is None:
                postgresql.refuse_if_restoring(connection)
            names = {name for name in inspect(connection).get_table_names() if not name.startswith(NOT_OURS)}
            ours = [table for table in db.metadata.sorted_tables if table.name in names]
            if foreign := names - {table.name for table in ours} - {"alembic_version"}:
                return min(foreign)
            counted = (table for table in ours if table.name not in records.IGNORED_TABLES)
            filled = (table for table in counted if connection.execute(select(1).select_from(table).limit(1)).first())
            return next((table.name for table in filled), "")
    except DBAPIError as error:
        raise BackupError(f"The database does not answer: {_first_line(error)}") from error
    finally:
        db.session.remove()
        db.engine.dispose()


def _first_line(error: DBAPIError) -> str:
    """Return what is wrong; the other lines may quote rows."""
    return str(error.orig).strip().partition("\n")[0]


# --- what is done ---


def _restore(backup: Reader, opened: Keys | None, place: Path) -> None:
    manifest = backup.manifest
    database = place / "database"
    # Before the database is migrated, which may encrypt.
    _put_keys(opened)
    backup.extract(DATABASES[manifest.database], database)
    target = _sqlite_file()
    finish = _ready_sqlite(database, target, manifest) if target else _ready_postgresql(database, place, manifest)
    staged, uploads = place / "uploads", Path(current_app.config["UPLOADS"])
    staged.mkdir()
    for name in manifest.photos:
        backup.extract(f"{PHOTOS}{name}", staged / name, 0o666)
    staging.write_names(manifest.photos)
    for name in manifest.photos:
        staging.give_to_service(staged / name)
        os.replace(staged / name, uploads / name)
    key_file.sync(uploads)
    finish()


def _put_keys(opened: Keys | None) -> None:
    if opened is None:
        return
    folder = Path(current_app.config["INSTANCE_PATH"])
    texts = {"secret_key": opened.secret_key}
    if current_app.config["PASSWORD_KEY_FILE"]:
        texts["password_key"] = opened.password_key
    for name, text in texts.items():
        file = folder / name
        if file.exists():
            key_file.replace(file, text)
        else:
            key_file.create(file, text)
            staging.give_to_service(file)


# --- SQLite ---


def _sqlite_file() -> Path | None:
    """Return the file of an SQLite database, or None for PostgreSQL."""
    url = db.engine.url
    return Path(url.database or "").absolute() if url.get_backend_name() == "sqlite" else None


def _ready_sqlite(database: Path, target: Path, manifest: Manifest) -> Callable[[], None]:
    """Migrate and mark the restored database; return what puts it into its place."""
    ready = database
    if database.stat().st_dev != target.parent.stat().st_dev:  # It can only be renamed on the same disk.
        ready = target.with_name(f"{target.name}.restoring")
        ready.unlink(missing_ok=True)
        shutil.move(database, ready)
    staging.give_to_service(ready)
    engine = create_engine(f"sqlite:///{ready}")
    try:
        revisions.migrate(engine, manifest.revision)
        with engine.begin() as connection:
            for statement in _marks(manifest.taken_at, db.metadata.tables):
                connection.execute(statement)
    finally:
        engine.dispose()
    sqlite.merge_log(ready)

    def put() -> None:
        if target.exists():
            sqlite.merge_log(target)
        with open(ready, "rb") as file:
            os.fsync(file.fileno())
        os.replace(ready, target)
        staging.keep_photos()
        key_file.sync(target.parent)

    return put


# --- PostgreSQL ---


def _ready_postgresql(database: Path, place: Path, manifest: Manifest) -> Callable[[], None]:
    """Write the SQL of the restored database with its marks; return what runs it, and migrates afterwards."""
    sql = place / "database.sql"
    with db.engine.connect() as connection:
        postgresql.script(connection, database, sql)
    database.unlink()
    with open(sql, "a", encoding="utf-8") as file:
        file.write("\nRESET search_path;\n")
        # A backup from before revision 0018 has no such column, and must not be there unmarked for a moment.
        file.write("ALTER TABLE terminal ADD COLUMN IF NOT EXISTS restored_from timestamp without time zone;\n")
        # A backup from before revision 0007 has texts in these columns, which were required.
        for column in ("before", "after"):
            file.write(f'ALTER TABLE IF EXISTS audit ALTER COLUMN "{column}" DROP NOT NULL;\n')
        for statement in _marks(manifest.taken_at, manifest.rows):
            compiled = statement.compile(dialect=db.engine.dialect, compile_kwargs={"literal_binds": True})
            file.write(f"{compiled};\n")

    def put() -> None:
        with db.engine.connect() as connection:
            postgresql.run_script(connection, sql)
        staging.keep_photos()
        revisions.migrate(db.engine, manifest.revision)

    return put


def _marks(taken_at: datetime, tables: Collection[str]) -> list[Update | Delete | Insert]:
    """Return the changes of rows of a backup that was taken at this time: what waits must not run.

    No terminal is written to before it was compared, jobs of that time do not go on, and nobody is signed in.

    :param tables: the tables in the backup: an older version had no jobs and no comparisons, nor a column about these.
    """
    of_terminals: dict[str, Any] = {"restored_from": taken_at}
    if Comparison.__tablename__ in tables:
        of_terminals["compared_on"] = None
    every: dict[type[Base], Update | Delete | Insert] = {
        Terminal: update(Terminal).values(of_terminals),
        # What was read before says nothing about now.
        Comparison: delete(Comparison),
        # The desired state may have been reached since, or changed.
        Job: update(Job).where(Job.state.in_((DRAFT, *OPEN))).values(state=STOPPED, ended_at=database_now()),
        # Receivers have got these messages, or newer ones, since; the log of a webhook can send one again.
        WebhookDelivery: update(WebhookDelivery)
        .where(WebhookDelivery.next_attempt_at.is_not(None))
        .values(next_attempt_at=None),
        # A backup has none of these pictures.
        Event: update(Event).where(Event.picture.is_not(None)).values(picture=None),
        OperatorSession: delete(OperatorSession),
        Heartbeat: delete(Heartbeat),
        AuditEntry: insert(AuditEntry).values(
            actor=audit.COMMAND_LINE.name,
            action="installation.restored",
            at=database_now(),
            address="",
            request_id="",
            employee="",
            terminal="",
            subject=f"{taken_at:%Y-%m-%d %H:%M:%S} UTC",
        ),
    }
    return [statement for model, statement in every.items() if model.__tablename__ in tables]
