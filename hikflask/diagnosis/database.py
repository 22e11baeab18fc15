"""The database: whether it answers, has the tables of this version, is whole, agrees on the time, and has a worker."""

import os
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError, DBAPIError

from hikflask import startup_checks
from hikflask.config import ConfigError
from hikflask.diagnosis import Finding, access, good, unknown, wrong
from hikflask.extensions import db
from hikflask.models.columns import database_now
from hikflask.services.backups import BackupError, postgresql
from hikflask.services.core import heartbeat, no_space
from hikflask.services.state import clock_jump

# Leases, deadlines and sessions are measured by the database's clock, shown times by this machine's.
MAX_SECONDS = 5.0
DAMAGED = "The database file is damaged ({}): stop the service and restore the last backup."


def check() -> Generator[Finding, None, bool]:
    """Check the database, and return whether its tables can be used. Needs an app context."""
    gone = _gone()
    if gone:
        yield wrong(gone)
        return False
    try:
        startup_checks.check_tables()
        yield good("The database answers and has the tables of this version.")
        integrity = _integrity()
        yield integrity
        yield _keys()
        yield _jump()
        if db.engine.dialect.name != "sqlite":  # Its clock is this machine's.
            yield _clock()
            yield _backups()
        yield _worker()
    except ConfigError as error:
        yield wrong(str(error))
    except DBAPIError as error:
        reason = no_space.explain(error) or " ".join(str(error.orig).split())
        # Of SQLite's errors this one is about what is in the file.
        is_damaged = db.engine.dialect.name == "sqlite" and type(error) is DatabaseError
        yield wrong(DAMAGED.format(reason) if is_damaged else f"The database cannot be read: {reason}")
    else:
        return integrity.is_good
    return False


def _gone() -> str:
    """Return why there is no file of SQLite, or nothing. To open a missing one would make an empty database."""
    file = Path(db.engine.url.database or "")
    if db.engine.dialect.name != "sqlite" or os.path.exists(file):
        return ""
    return access.hidden(file) or (
        f"There is no database at {file}: stop the service and restore the last backup, or, where nothing has been "
        "stored yet, make it with `hikflask init`."
    )


def _integrity() -> Finding:
    if db.engine.dialect.name != "sqlite":
        return good("PostgreSQL looks after its own files.")
    result = db.session.execute(text("PRAGMA quick_check(1)")).scalar_one()
    return good("The database file is whole.") if result == "ok" else wrong(DAMAGED.format(" ".join(result.split())))


def _backups() -> Finding:
    try:
        postgresql.check(db.session.connection())
    except BackupError as error:
        return wrong(f"No backup can be made: {error}")
    return good("PostgreSQL's programs can make a backup.")


def _keys() -> Finding:
    try:
        startup_checks.check_keys()
    except ConfigError as error:
        return wrong(str(error))
    return good("The key opens every stored password.")


def _clock() -> Finding:
    theirs = db.session.execute(select(database_now())).scalar_one()
    seconds = abs((datetime.now(UTC) - theirs).total_seconds())
    if seconds > MAX_SECONDS:
        return wrong(
            f"This machine's clock and the database's differ by {seconds:.0f} s: let both follow a time server."
        )
    return good("This machine and the database have the same time.")


def _jump() -> Finding:
    seconds = clock_jump.seconds_ahead()
    if not seconds:
        return good("Nothing in the audit trail is in the future.")
    return wrong(
        f"The newest entry of the audit trail is {timedelta(seconds=round(seconds))} ahead of now: the clock was "
        "ahead, or is behind. Let it follow a time server. What waits for a time that is too far ahead is done within "
        "a minute; what was recorded meanwhile keeps its time."
    )


def _worker() -> Finding:
    if heartbeat.alive():
        return good("A worker is running.")
    if no_space.full_disk():
        return unknown("Whether a worker is running cannot be known: on a full disk it can give no sign.")
    return wrong(
        "No worker is running, so nobody is enrolled or removed: `systemctl start hikflask-worker` "
        "(or `hikflask`, where the worker is embedded)."
    )
