"""Reads entries of the audit trail by actor, action, employee, terminal and time: a page of them, or all for a file."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from hikflask.extensions import db
from hikflask.models import AuditEntry
from hikflask.services.audit.log import one_line, record_alone
from hikflask.services.audit.sealing import Entry, opened, pseudonyms
from hikflask.services.core.db import count_rows_up_to, end_read

LOOK = "photo.viewed"
BATCH = 500


@dataclass(frozen=True)
class AuditFilter:
    """What a list of entries is narrowed to; an empty field is ignored. `until` is exclusive.

    `without_looks`: without the entries about viewed photos. There are many, and they change nothing.
    """

    actor: str = ""
    action: str = ""
    employee: str = ""
    terminal: str = ""
    request: str = ""
    since: datetime | None = None
    until: datetime | None = None
    without_looks: bool = False


def list_entries(chosen: AuditFilter, limit: int, offset: int = 0) -> tuple[list[Entry], int]:
    """Return one page of entries, the newest first, and how many there are on all pages."""
    newest = select(AuditEntry).where(*conditions(chosen)).order_by(AuditEntry.id.desc())
    rows = db.session.execute(newest.limit(limit).offset(offset)).scalars().all()
    return opened(rows), count_entries(chosen)


def count_entries(chosen: AuditFilter, newest_id: int | None = None) -> int:
    """Return how many entries there are. :param newest_id: entries with a higher id are not counted."""
    statement = select(func.count(AuditEntry.id)).where(*conditions(chosen))
    if newest_id is not None:
        statement = statement.where(AuditEntry.id <= newest_id)
    return db.session.execute(statement).scalar_one()


def count_entries_up_to(chosen: AuditFilter) -> int:
    """Return how many entries there are, counted up to MAX_COUNTED."""
    return count_rows_up_to(select(AuditEntry.id).where(*conditions(chosen)))


def begin_export(chosen: AuditFilter) -> int:
    """Record in the trail which entries are exported; return the id of the newest entry before that."""
    newest_id = db.session.execute(select(func.max(AuditEntry.id))).scalar_one() or 0
    narrowed = {name: value for name, value in asdict(chosen).items() if value and name != "employee"}
    after = {"entries": count_entries(chosen, newest_id), **narrowed}
    record_alone("audit.exported", number=chosen.employee, after=after)
    return newest_id


def batches(chosen: AuditFilter, newest_id: int) -> Iterator[list[Entry]]:
    """Yield the entries up to the one with this id, the newest first; between batches no transaction is open.

    So a long trail takes no more memory than a short one.
    """
    before_id = newest_id + 1
    older = select(AuditEntry).where(*conditions(chosen)).order_by(AuditEntry.id.desc()).limit(BATCH)
    while rows := db.session.execute(older.where(AuditEntry.id < before_id)).scalars().all():
        before_id, entries = rows[-1].id, opened(rows)
        end_read()
        yield entries


def conditions(chosen: AuditFilter) -> list[ColumnElement[bool]]:
    """Return the filter as conditions of a SELECT."""
    exact = {
        AuditEntry.actor: chosen.actor,
        AuditEntry.action: chosen.action,
        AuditEntry.terminal: chosen.terminal,
        AuditEntry.request_id: chosen.request,
    }
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
