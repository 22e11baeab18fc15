"""The table of backups: when the last good one was finished, for pages and for whoever watches the installation."""

from datetime import timedelta

from flask import current_app
from sqlalchemy import delete, select

from hikflask.extensions import db
from hikflask.models import Alarm, AuditEntry, Backup, EmployeeCount, Heartbeat, Throttle
from hikflask.models.columns import database_now
from hikflask.services.backups.archive import Manifest
from hikflask.services.core.db import changed_rows, transactional

# Rows of these do not make an installation one that is used: a service that runs writes them by itself, also when a
# program calls with the token of before, somebody tries to sign in, or the nightly backup is made.
NOTHING = {one.__tablename__ for one in (Alarm, AuditEntry, Backup, EmployeeCount, Heartbeat, Throttle)}
# So many backups are remembered.
MAX_RECORDS = 100


def newest() -> Backup | None:
    """Return the backup that was finished last, or None when there is none."""
    statement = select(Backup).order_by(Backup.id.desc()).limit(1)
    return db.session.execute(statement, execution_options={"populate_existing": True}).scalar_one_or_none()


def is_overdue() -> bool:
    """True when the last backup is older than BACKUP_MAX_AGE hours, or there is none. 0 hours: nobody watches that."""
    hours = current_app.config["BACKUP_MAX_AGE"]
    if not hours:
        return False
    oldest = database_now(-timedelta(hours=hours).total_seconds())
    lately = db.session.execute(select(Backup.id).where(Backup.finished_at > oldest).limit(1)).first()
    return lately is None


@transactional
def add(manifest: Manifest, size: int) -> Backup:
    """Remember a backup whose file, of so many bytes, is complete, and forget the oldest ones."""
    made = Backup(
        taken_at=manifest.taken_at,
        size=size,
        rows=sum(manifest.rows.values()),
        photos=len(manifest.photos),
        missing=len(manifest.missing),
        with_keys=manifest.has_keys,
    )
    db.session.add(made)
    db.session.flush()
    changed_rows(delete(Backup).where(Backup.id <= made.id - MAX_RECORDS))
    return made
