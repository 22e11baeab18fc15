"""Deletes old audit entries, and the keys that no entry needs any more."""

from flask import current_app
from sqlalchemy import delete, select

from hikflask.extensions import db
from hikflask.models import AuditEntry, PersonKey
from hikflask.models.columns import database_now
from hikflask.services.core.dates import SECONDS_PER_DAY
from hikflask.services.core.db import CLEANUP_BATCH, changed_rows, transactional

# The database itself refuses to delete an entry of the last 30 days, and it looks at its clock a moment later.
MARGIN_SECONDS = 60.0


@transactional
def forget_entries() -> int:
    """Delete audit entries older than HIKFLASK_AUDIT_RETENTION; return how many."""
    kept_since = database_now(-SECONDS_PER_DAY * current_app.config["AUDIT_RETENTION"] - MARGIN_SECONDS)
    old = select(AuditEntry.id).where(AuditEntry.at < kept_since).order_by(AuditEntry.id).limit(CLEANUP_BATCH)
    ended = delete(AuditEntry).where(AuditEntry.id.in_(old)).returning(AuditEntry.employee)
    gone = db.session.execute(ended, execution_options={"synchronize_session": False}).scalars().all()
    needed = select(AuditEntry.id).where(AuditEntry.employee == PersonKey.pseudonym).exists()
    changed_rows(delete(PersonKey).where(PersonKey.pseudonym.in_({*gone} - {""}), ~needed))
    return len(gone)
