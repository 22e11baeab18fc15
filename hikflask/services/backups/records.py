"""The table of backups: when the last good one was finished, for pages and for monitoring."""

from flask import current_app
from sqlalchemy import delete, select

from hikflask.extensions import db
from hikflask.models import Alarm, AuditEntry, Backup, EmployeeCount, Heartbeat, Throttle
from hikflask.models.columns import database_now
from hikflask.services.backups.archive import Manifest
from hikflask.services.core.db import changed_rows, transactional

# Rows of these tables do not make an installation one that is used: a service that runs writes them by itself, as when
# a program calls with an old token, somebody tries to sign in, or the nightly backup is made.
IGNORED_TABLES = {model.__tablename__ for model in (Alarm, AuditEntry, Backup, EmployeeCount, Heartbeat, Throttle)}
# How many backups are remembered.
MAX_RECORDS = 100


def newest(*, whole: bool = False) -> Backup | None:
    """Return the backup that was finished last, or None when there is none.

    :param whole: pass over those that lack photos, since their files were missing.
    """
    statement = select(Backup).where(*([Backup.missing == 0] if whole else [])).order_by(Backup.id.desc()).limit(1)
    return db.session.execute(statement, execution_options={"populate_existing": True}).scalar_one_or_none()


def is_overdue() -> bool:
    """Return True when the last backup lacks photos or is older than BACKUP_MAX_AGE hours. Never for 0 hours.

    Where there is none, the first is missed once the audit trail began as long ago: it is made in the first night.
    """
    hours = current_app.config["BACKUP_MAX_AGE"]
    if not hours:
        return False
    oldest = database_now(-3600 * hours)
    last = select(Backup.missing > 0, Backup.finished_at > oldest).order_by(Backup.id.desc()).limit(1)
    if (row := db.session.execute(last).first()) is not None:
        return row not in {(False, True)}
    return db.session.execute(select(AuditEntry.id).where(AuditEntry.at <= oldest).limit(1)).first() is not None


@transactional
def add(manifest: Manifest, size: int) -> Backup:
    """Remember a backup whose file, of so many bytes, is complete, and forget the oldest ones."""
    row = Backup(
        taken_at=manifest.taken_at,
        size=size,
        rows=sum(manifest.rows.values()),
        photos=len(manifest.photos),
        missing=len(manifest.missing),
        with_keys=manifest.has_keys,
    )
    db.session.add(row)
    db.session.flush()
    changed_rows(delete(Backup).where(Backup.id <= row.id - MAX_RECORDS))
    return row
