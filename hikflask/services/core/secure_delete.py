"""The database's own files: what was deleted is overwritten in them, and not only marked as free.

SQLite writes zeros over what is deleted (secure_delete, see extensions.py). What it left before stays: in its
write-ahead log until a checkpoint truncates that (https://sqlite.org/wal.html), and in the pages that it moved rows out
of until VACUUM writes the file anew; incremental_vacuum gives back empty pages alone.

PostgreSQL leaves the bytes of deleted rows in its files after a plain VACUUM, so the tables are written anew
(https://www.postgresql.org/docs/current/sql-vacuum.html, FULL). Its own write-ahead log is out of a program's reach.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from hikflask.extensions import db
from hikflask.models import Capture, Consent, Employee, Enrolment, Erasure, ErasureFile, ErasureRemoval, Photo

log = logging.getLogger(__name__)

# The audit trail is not among them: an erasure takes nothing from it.
TABLES = (Capture, Consent, Employee, Enrolment, Erasure, ErasureFile, ErasureRemoval, Photo)
# While we wait for a table, or in SQLite for those who read now, whoever writes after us waits, too. Without any wait
# nothing would be overwritten as long as pages are read all the time.
LOCK_MILLISECONDS = 200
# VACUUM keeps what a transaction that began before, such as a dump, still sees.
EARLIER_TRANSACTIONS = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND greatest(age(backend_xmin), age(backend_xid)) > 0
"""


def overwrite_deleted() -> bool:
    """Write the database's files anew without what was deleted; False when somebody uses them at this moment.

    Commit first. Nobody is waited for long: whoever enrols would have to wait, too, so the caller comes back later.
    """
    try:
        with _connection() as connection:
            done = _overwrite_postgresql(connection) if server_keeps_log() else _overwrite_sqlite(connection)
            why: object = "somebody uses it"
    except OperationalError as error:  # Locked, or the disk is full.
        done, why = False, error.orig
    if not done:
        log.warning("what was deleted is not overwritten in the database's files yet (%s)", why)
    return done


def empty_log() -> None:
    """Empty SQLite's write-ahead log, so that what was forgotten leaves it; next time, when somebody uses it now."""
    if not server_keeps_log():
        with _connection() as connection:
            _empty_log(connection)


def server_keeps_log() -> bool:
    """True where the database's server keeps what was written in a log of its own, which it overwrites in its time."""
    return db.engine.dialect.name == "postgresql"


@contextmanager
def _connection() -> Iterator[Connection]:
    """Open a connection outside any transaction, which waits for nobody for long; nobody else gets it afterwards."""
    with db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").detach()
        if not server_keeps_log():
            connection.exec_driver_sql(f"PRAGMA busy_timeout={LOCK_MILLISECONDS}")
        yield connection


def _overwrite_sqlite(connection: Connection) -> bool:
    # While somebody reads what is in the log, each VACUUM would make it longer by the whole database.
    if not _empty_log(connection):
        return False
    connection.exec_driver_sql("VACUUM")
    return _empty_log(connection)


def _empty_log(connection: Connection) -> bool:
    """Move what the log holds into the database's file and truncate it; False while somebody reads or writes there."""
    busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    return not busy


def _overwrite_postgresql(connection: Connection) -> bool:
    if connection.exec_driver_sql(EARLIER_TRANSACTIONS).scalar_one():
        return False
    connection.exec_driver_sql(f"SET lock_timeout = {LOCK_MILLISECONDS}")
    connection.exec_driver_sql(f"VACUUM (FULL) {', '.join(table.__tablename__ for table in TABLES)}")
    return True
