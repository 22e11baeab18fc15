"""Forgets what is kept for a while only: old audit entries, certificates of erasures, ended sessions, old tries."""

from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, delete, select

from hikflask.extensions import db
from hikflask.models import AuditEntry, Erasure
from hikflask.models.columns import database_now
from hikflask.services.accounts import rate_limit, sessions
from hikflask.services.core.dates import SECONDS_PER_DAY
from hikflask.services.core.db import CLEANUP_BATCH

# The database itself refuses to delete an entry of the last 30 days, and its clock at that moment is another one.
MARGIN = 60.0


def forget_entries() -> int:
    """Delete audit entries past HIKFLASK_AUDIT_RETENTION; return how many."""
    return _deleted(AuditEntry, AuditEntry.at < _kept_since())


def forget_erasures() -> int:
    """Delete the certificates of erasures that were completed as long ago; return how many."""
    return _deleted(Erasure, Erasure.completed_at < _kept_since())


def forget_admissions() -> None:
    """Remove ended sessions of operators, and tries that no window reaches."""
    sessions.forget_ended()
    rate_limit.forget_old()


def _kept_since() -> Any:
    return database_now(-SECONDS_PER_DAY * current_app.config["AUDIT_RETENTION"] - MARGIN)


def _deleted(table: Any, over: ColumnElement[bool]) -> int:
    some = select(table.id).where(over).order_by(table.id).limit(CLEANUP_BATCH)
    gone = db.session.execute(delete(table).where(table.id.in_(some)).returning(table.id)).all()
    db.session.commit()
    return len(gone)
