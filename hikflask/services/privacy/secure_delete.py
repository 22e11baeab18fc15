"""Overwrites deleted data in the database's own files, where it is otherwise only marked as free.

SQLite writes zeros over deleted rows (secure_delete, see extensions.py). Two kinds of copies remain: those in the
write-ahead log, until a checkpoint truncates it (https://sqlite.org/wal.html), and those in pages that rows were moved
out of, until VACUUM writes the file anew. incremental_vacuum only gives back empty pages.

PostgreSQL leaves the bytes of deleted rows in its files after a plain VACUUM, so the tables are written anew
(https://www.postgresql.org/docs/current/sql-vacuum.html, FULL). A program cannot reach PostgreSQL's write-ahead log.
"""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from flask import current_app
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from hikflask import models
from hikflask.extensions import db
from hikflask.services.core.dates import local
from hikflask.signs_of_life import signs

log = logging.getLogger(__name__)

# The audit trail is not among them: an erasure deletes the keys of what it says of a person, and no entry.
TABLES = (
    models.Capture,
    models.Card,
    models.CardThere,
    models.Comparison,
    models.Consent,
    models.Difference,
    models.Drift,
    models.Employee,
    models.Enrolment,
    models.Erasure,
    models.ErasureFile,
    models.ErasureRemoval,
    models.Event,
    models.ImportBatch,
    models.ImportMapping,
    models.ImportRow,
    models.Job,
    models.JobItem,
    models.IdempotencyKey,
    models.IgnoredDifference,
    models.PersonKey,
    models.PersonThere,
    models.Photo,
    models.WebhookDelivery,
)
# While this waits for a lock, everybody who writes has to wait, too. Without any wait it would never get the lock while
# people look at pages.
LOCK_MILLISECONDS = 200
# For each 100 MB nobody can save for about a second. A larger database is written anew by the worker alone, at night,
# before this hour.
LARGE_BYTES, END_OF_NIGHT = 500_000_000, 5
# Whoever wants the database meanwhile waits for it: a hundred gigabytes, on a slow disk.
REWRITE_SECONDS = 3 * 3600.0
SIZES = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
    "postgresql": "SELECT pg_database_size(current_database())",
}
# From this version on FTS5 overwrites what is deleted from it (migration 0017).
INDEX_OVERWRITES = (3, 42)
# Transactions that began earlier, such as a dump: VACUUM keeps what they still see.
EARLIER_TRANSACTIONS = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND greatest(age(backend_xmin), age(backend_xid)) > 0
"""


def is_large() -> bool:
    """Return True when the database is so large that its files are written anew at night alone."""
    size: int = db.session.execute(text(SIZES[db.engine.dialect.name])).scalar_one()
    return size > LARGE_BYTES


def is_night() -> bool:
    """Return True while the files of a large database may be written anew."""
    return local(datetime.now(UTC)).hour < END_OF_NIGHT


def overwrite_deleted() -> bool:
    """Write the database's files anew without deleted data; return False when they are in use at this moment.

    Call it after a commit. It does not wait long, because enrolling waits meanwhile; the caller tries again later. Each
    cause of a failure is logged once, until it is done.
    """
    logged: set[str] = current_app.extensions.setdefault("not_overwritten", set())
    try:
        with signs.excused(REWRITE_SECONDS), _connection() as connection:
            done = _overwrite_postgresql(connection) if server_keeps_log() else _overwrite_sqlite(connection)
            why = "somebody uses it"
    except OperationalError as error:  # Locked, or the disk is full.
        done, why = False, str(error.orig)
    if done:
        logged.clear()
    elif why not in logged:
        logged.add(why)
        log.warning("what was deleted is not overwritten in the database's files yet (%s)", why)
    return done


def empty_log() -> None:
    """Empty SQLite's write-ahead log, so that no deleted data stays there. When it is in use, nothing is done."""
    if not server_keeps_log():
        with signs.excused(REWRITE_SECONDS), _connection() as connection:
            _empty_log(connection)


def server_keeps_log() -> bool:
    """Return True for a database server that has a log of its own, which no program can empty."""
    return db.engine.dialect.name == "postgresql"


@contextmanager
def _connection() -> Iterator[Connection]:
    """Open a connection of its own, outside any transaction, that does not wait long for locks.

    Another one stays in the pool: with the last one SQLite removes the files beside its own, and on a full disk nobody
    could make them again, not even to read.
    """
    with db.engine.connect(), db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").detach()
        if not server_keeps_log():
            connection.exec_driver_sql(f"PRAGMA busy_timeout={LOCK_MILLISECONDS}")
        yield connection


def _overwrite_sqlite(connection: Connection) -> bool:
    # While somebody still reads from the log, VACUUM would write the whole database into it.
    if not _empty_log(connection):
        return False
    if sqlite3.sqlite_version_info < INDEX_OVERWRITES:
        # What is deleted from the index of names is gone once its parts are merged.
        connection.exec_driver_sql("INSERT INTO employee_words (employee_words) VALUES ('optimize')")
    connection.exec_driver_sql("VACUUM")
    return _empty_log(connection)


def _empty_log(connection: Connection) -> bool:
    """Move the log into the database's file and truncate it; return False while somebody reads or writes."""
    busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    return not busy


def _overwrite_postgresql(connection: Connection) -> bool:
    if connection.exec_driver_sql(EARLIER_TRANSACTIONS).scalar_one():
        return False
    connection.exec_driver_sql(f"SET lock_timeout = {LOCK_MILLISECONDS}")
    connection.exec_driver_sql(f"VACUUM (FULL) {', '.join(table.__tablename__ for table in TABLES)}")
    return True
