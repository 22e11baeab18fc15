"""Forgets what is kept for a while only: old audit entries, ended sessions, old tries."""

from flask import current_app
from sqlalchemy import delete, select

from hikflask.extensions import db
from hikflask.models import AuditEntry
from hikflask.models.columns import database_now
from hikflask.services.accounts import rate_limit, sessions
from hikflask.services.core.retention import DAY, MOST_AT_ONCE

# The database itself refuses to delete an entry of the last 30 days, and its clock at that moment is another one.
MARGIN = 60.0


def forget_entries() -> int:
    """Delete audit entries past HIKFLASK_AUDIT_RETENTION; return how many."""
    kept_since = database_now(-DAY * current_app.config["AUDIT_RETENTION"] - MARGIN)
    old = select(AuditEntry.id).where(AuditEntry.at < kept_since).order_by(AuditEntry.id).limit(MOST_AT_ONCE)
    gone = db.session.execute(delete(AuditEntry).where(AuditEntry.id.in_(old)).returning(AuditEntry.id)).all()
    db.session.commit()
    return len(gone)


def forget_admissions() -> None:
    """Remove ended sessions of operators, and tries that no window reaches."""
    sessions.forget_ended()
    rate_limit.forget_old()
