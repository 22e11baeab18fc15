"""The part of a backup that is an SQLite database: copied while the service runs, and put in the place of another."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection

from hikflask import disk_space
from hikflask.services.backups import BackupError

DAMAGED = "The database is damaged, so nothing was backed up: {}. Restore the last good backup."
LOCKED = "The installation is in use: stop the service and its workers, and try again."


def copy(source: Connection, target: Path) -> None:
    """Copy a consistent snapshot of the database to a new file, while others write.

    :raises BackupError: when the database is damaged, or there is no room for the copy.
    :raises FileExistsError: when the file is there already.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    driver: sqlite3.Connection = source.connection.driver_connection  # type: ignore[assignment]
    try:
        with closing(sqlite3.connect(target)) as copied:
            driver.backup(copied)
            # One file, without a log beside it.
            copied.execute("PRAGMA journal_mode=DELETE")
            result = copied.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError as error:  # No room, for example.
        why = disk_space.explain(error, target.absolute().parent)
        raise BackupError(why or f"The database cannot be copied: {error}.") from error
    except sqlite3.DatabaseError as error:
        raise BackupError(DAMAGED.format(error)) from error
    if result != "ok":
        raise BackupError(DAMAGED.format(result))


def remove(path: Path) -> None:
    """Remove a database that nobody has open, with the log that a killed process may have left beside it."""
    for log in ("", "-journal", "-wal", "-shm"):
        path.with_name(f"{path.name}{log}").unlink(missing_ok=True)


def merge_log(path: Path) -> None:
    """Make a database one file without a log. :raises BackupError: when another process has it open."""
    try:
        with closing(sqlite3.connect(path, timeout=1.0)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        raise BackupError(LOCKED) from error
