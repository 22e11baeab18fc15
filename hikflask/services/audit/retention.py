"""Deletes old audit entries, and the certificates of erasures with them."""

from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, delete, select

from hikflask.extensions import db
from hikflask.models import AuditEntry, Erasure
from hikflask.models.columns import database_now
from hikflask.services.core.dates import SECONDS_PER_DAY
from hikflask.services.core.db import CLEANUP_BATCH

# The database itself refuses to delete an entry of the last 30 days, and it looks at its clock a moment later.
MARGIN_SECONDS = 60.0


def forget_entries() -> int:
    """Delete audit entries older than HIKFLASK_AUDIT_RETENTION; return how many."""
    return _deleted(AuditEntry, AuditEntry.at < _kept_since())


def forget_erasures() -> int:
    """Delete the certificates of erasures that were completed as long ago; return how many."""
    return _deleted(Erasure, Erasure.completed_at < _kept_since())


def _kept_since() -> Any:
    return database_now(-SECONDS_PER_DAY * current_app.config["AUDIT_RETENTION"] - MARGIN_SECONDS)


def _deleted(table: Any, is_old: ColumnElement[bool]) -> int:
    some = select(table.id).where(is_old).order_by(table.id).limit(CLEANUP_BATCH)
    gone = db.session.execute(delete(table).where(table.id.in_(some)).returning(table.id)).all()
    db.session.commit()
    return len(gone)
