"""The audit trail as a page shows it, and entries of other times."""

from typing import Any

from hikflask.extensions import db
from hikflask.models import AuditEntry
from hikflask.services.audit import Entry, sealing
from hikflask.services.audit.sealing import Details


def entries(action: str = "", *, after: int = 0) -> list[Entry]:
    """The entries, the oldest first: those of an action, and those after the one with an id."""
    wanted = db.select(AuditEntry).where(AuditEntry.id > after).order_by(AuditEntry.id)
    rows = db.session.execute(wanted.where(AuditEntry.action == action) if action else wanted).scalars()
    found = sealing.opened(list(rows))
    db.session.commit()
    return found


def fields(details: Details) -> dict[str, Any]:
    """The details of an entry that says field by field what it was before or after."""
    assert isinstance(details, dict), details
    return details


def entry(*, employee: str = "", **columns: Any) -> AuditEntry:
    """A row of the trail that is not stored yet, with what is about a person sealed."""
    if not employee:
        return AuditEntry(**columns)
    about = {name: columns.pop(name, nothing) for name, nothing in (("subject", ""), ("before", None), ("after", None))}
    pseudonym, token = sealing.seal(columns.get("employee_id"), employee, about)
    return AuditEntry(employee=pseudonym, sealed=token, **columns)
