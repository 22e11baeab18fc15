"""The audit trail for a file: read in batches, so that a long one takes no more memory than a short one."""

from collections.abc import Iterator
from dataclasses import asdict

from sqlalchemy import func, select

from hikflask.extensions import db
from hikflask.models import AuditEntry
from hikflask.services.audit.log import record_alone
from hikflask.services.audit.sealing import Entry, opened
from hikflask.services.audit.search import AuditFilter, conditions, count_entries
from hikflask.services.core.db import end_read

BATCH = 500


def begin_export(chosen: AuditFilter) -> int:
    """Record in the trail which entries are exported; return the id of the newest entry before that."""
    newest_id = db.session.execute(select(func.max(AuditEntry.id))).scalar_one() or 0
    narrowed = {name: value for name, value in asdict(chosen).items() if value and name != "employee"}
    after = {"entries": count_entries(chosen, newest_id), **narrowed}
    record_alone("audit.exported", number=chosen.employee, after=after)
    return newest_id


def batches(chosen: AuditFilter, newest_id: int) -> Iterator[list[Entry]]:
    """Yield the entries up to the one with this id, the newest first; between batches no transaction is open."""
    before_id = newest_id + 1
    older = select(AuditEntry).where(*conditions(chosen)).order_by(AuditEntry.id.desc()).limit(BATCH)
    while rows := db.session.execute(older.where(AuditEntry.id < before_id)).scalars().all():
        before_id, entries = rows[-1].id, opened(rows)
        end_read()
        yield entries
