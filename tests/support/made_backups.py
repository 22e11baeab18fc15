"""A backup that was made some time ago, as its row remembers it, and none that was."""

from hikflask.extensions import db
from hikflask.models import AuditEntry, Backup
from hikflask.models.columns import database_now


def run_without_backup(hours: float) -> None:
    """Let the first entry of the audit trail be so many hours old, and no backup have been made since."""
    db.session.add(AuditEntry(actor="Анна", action="sign_in", at=database_now(-hours * 3600)))
    db.session.commit()


def add_backup(hours: float) -> Backup:
    """Remember a backup that was finished so many hours ago."""
    moment = database_now(-hours * 3600)
    made = Backup(taken_at=moment, finished_at=moment, size=1, rows=1, photos=0, missing=0, with_keys=False)
    db.session.add(made)
    db.session.commit()
    db.session.refresh(made)
    return made
