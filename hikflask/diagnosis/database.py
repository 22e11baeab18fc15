"""The database: whether it answers, has the tables of this version, is whole, agrees on the time, and has a worker."""

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from hikflask import startup_checks
from hikflask.config import ConfigError
from hikflask.diagnosis.finding import Finding, good, wrong
from hikflask.extensions import db
from hikflask.models.columns import database_now
from hikflask.services.core import heartbeat

# Leases, deadlines and sessions are measured by the database's clock, shown times by this machine's.
MOST_SECONDS = 5.0


def look() -> Iterator[Finding]:
    """Tell what is so of the database. Needs an app context."""
    try:
        startup_checks.check()
        yield good("The database answers, has the tables of this version, and the key opens every stored password.")
        yield from (_integrity(), _clock(), _worker())
    except ConfigError as error:
        yield wrong(str(error))
    except SQLAlchemyError as error:
        yield wrong(f"The database cannot be read: {' '.join(str(error).split())}")


def _integrity() -> Finding:
    if db.engine.dialect.name != "sqlite":
        return good("PostgreSQL looks after its own files.")
    told = db.session.execute(text("PRAGMA quick_check(1)")).scalar_one()
    if told != "ok":
        return wrong(f"The database file is damaged ({told}): stop the service and restore the last backup.")
    return good("The database file is whole.")


def _clock() -> Finding:
    theirs = db.session.execute(select(database_now())).scalar_one()
    seconds = abs((datetime.now(UTC) - theirs).total_seconds())
    if seconds > MOST_SECONDS:
        return wrong(
            f"This machine's clock and the database's differ by {seconds:.0f} s: let both follow a time server."
        )
    return good("This machine and the database have the same time.")


def _worker() -> Finding:
    if heartbeat.alive():
        return good("A worker is running.")
    return wrong(
        "No worker is running, so nobody is enrolled or removed: `systemctl start hikflask-worker` "
        "(or `hikflask`, where the worker is embedded)."
    )
