"""Deletes old audit entries."""

from flask import current_app
from sqlalchemy import delete, select

from hikflask.extensions import db
from hikflask.models import AuditEntry
from hikflask.models.columns import database_now
from hikflask.services.core.dates import SECONDS_PER_DAY
from hikflask.services.core.db import CLEANUP_BATCH

# The database itself refuses to delete an entry of the last 30 days, and it looks at its clock a moment later.
MARGIN_SECONDS = 60.0


def forget_entries() -> int:
    """Delete audit entries older than HIKFLASK_AUDIT_RETENTION; return how many."""
    kept_since = database_now(-SECONDS_PER_DAY * current_app.config["AUDIT_RETENTION"] - MARGIN_SECONDS)
    old = select(AuditEntry.id).where(AuditEntry.at < kept_since).order_by(AuditEntry.id).limit(CLEANUP_BATCH)
    gone = db.session.execute(delete(AuditEntry).where(AuditEntry.id.in_(old)).returning(AuditEntry.id)).all()
    db.session.commit()
    return len(gone)
