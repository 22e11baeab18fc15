"""Reads entries of the audit trail by actor, action, employee, terminal and time."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from hikflask.extensions import db
from hikflask.models import AuditEntry
from hikflask.services.audit.log import one_line
from hikflask.services.audit.sealing import Entry, opened, pseudonyms

LOOK = "photo.viewed"


@dataclass(frozen=True)
class AuditFilter:
    """What a list of entries is narrowed to; an empty field narrows nothing. `until` is exclusive.

    `without_looks`: without the entries about viewed photos. There are many, and they change nothing.
    """

    actor: str = ""
    action: str = ""
    employee: str = ""
    terminal: str = ""
    since: datetime | None = None
    until: datetime | None = None
    without_looks: bool = False


def list_entries(chosen: AuditFilter, limit: int, offset: int = 0) -> tuple[list[Entry], int]:
    """Return one page of entries, the newest first, and how many there are on all pages."""
    newest = select(AuditEntry).where(*conditions(chosen)).order_by(AuditEntry.id.desc())
    rows = db.session.execute(newest.limit(limit).offset(offset)).scalars().all()
    return opened(rows), count_entries(chosen)


def count_entries(chosen: AuditFilter, newest_id: int | None = None) -> int:
    """Return how many entries there are.

    :param newest_id: entries with a higher id are not counted.
    """
    statement = select(func.count(AuditEntry.id)).where(*conditions(chosen))
    if newest_id is not None:
        statement = statement.where(AuditEntry.id <= newest_id)
    return db.session.execute(statement).scalar_one()


def conditions(chosen: AuditFilter) -> list[ColumnElement[bool]]:
    """Return the filter as conditions of a SELECT."""
    exact = {AuditEntry.actor: chosen.actor, AuditEntry.action: chosen.action, AuditEntry.terminal: chosen.terminal}
    # Entries are stored as one line, so what is searched for is written in the same way.
    conditions = [column == one_line(value) for column, value in exact.items() if value]
    if chosen.employee:
        conditions.append(AuditEntry.employee.in_(pseudonyms(one_line(chosen.employee))))
    if chosen.without_looks:
        conditions.append(AuditEntry.action != LOOK)
    if chosen.since:
        conditions.append(AuditEntry.at >= chosen.since)
    if chosen.until:
        conditions.append(AuditEntry.at < chosen.until)
    return conditions
