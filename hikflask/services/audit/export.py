"""The audit trail as a whole, for a file: read in batches, so that its length costs no memory."""

from collections.abc import Iterator
from dataclasses import asdict

from sqlalchemy import func, select

from hikflask.extensions import db
from hikflask.models import AuditEntry
from hikflask.services import audit
from hikflask.services.audit import Wanted

BATCH = 500


def begin(wanted: Wanted) -> int:
    """Note that entries leave the house, and which ones; return the id of the newest entry before that note."""
    newest = db.session.execute(select(func.max(AuditEntry.id))).scalar_one() or 0
    told = {name: value for name, value in asdict(wanted).items() if value}
    audit.note_alone("audit.exported", after={"entries": audit.count(wanted, newest), **told})
    return newest


def batches(wanted: Wanted, newest: int) -> Iterator[list[AuditEntry]]:
    """Yield the entries up to `newest`, the newest first, with no transaction open in between."""
    before = newest + 1
    while found := _batch(wanted, before):
        before = found[-1].id
        yield found


def _batch(wanted: Wanted, before: int) -> list[AuditEntry]:
    statement = select(AuditEntry).where(*audit.matching(wanted), AuditEntry.id < before)
    found = list(db.session.execute(statement.order_by(AuditEntry.id.desc()).limit(BATCH)).scalars())
    db.session.commit()
    return found
