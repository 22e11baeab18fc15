"""Groups entries of the audit trail into operations: what a request did, with what its job and the terminals did by it.

They have the id of the request in common. An operation stands where its newest entry stands. An entry that is further
than MAX_GAP from the next one of its request begins another operation: these ids have no index, and no page reads the
whole trail.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import nsmallest

from sqlalchemy import Row, String, case, cast, func, or_, select

from hikflask.extensions import db
from hikflask.models import AuditEntry
from hikflask.services.audit.sealing import Entry, opened
from hikflask.services.audit.search import AuditFilter, conditions
from hikflask.services.core.db import rows_of

# In ids of entries. Five hundred people who leave six terminals take seven thousand, one after the other.
MAX_GAP, COUNTED = 2_000, 10_000
# So many entries of an operation are read.
MAX_SHOWN = 8
CHUNK = 500
# An operation is named after what was done to employees, if anything was, and hardly ever after the last kinds.
FIRST_KIND, LAST_KINDS = "employee", ("enrolment", "capture", "job", "photo")
KEY = case((AuditEntry.request_id != "", AuditEntry.request_id), else_=cast(AuditEntry.id, String))


@dataclass(frozen=True)
class Operation:
    """What was done at once: how often each action, and some of its entries, those that say most first.

    `is_partly_counted`: there may be more entries, too far from the newest one.
    """

    entries: list[Entry]
    counts: dict[str, int]
    is_partly_counted: bool
    began_at: datetime
    ended_at: datetime

    @property
    def entry(self) -> Entry:
        """The entry that the operation is named after."""
        return self.entries[0]

    @property
    def total(self) -> int:
        """The number of entries."""
        return sum(self.counts.values())


def list_operations(chosen: AuditFilter, before: int | None, limit: int) -> tuple[list[Operation], int | None]:
    """Return so many operations, the newest first, and where the next page begins.

    :param before: the end of the page before this one: the operations' newest entries have lower ids.
    """
    newest = _newest_entries(chosen, before, limit + 1)
    page = dict(list(newest.items())[:limit])
    return _operations(chosen, page), min(page.values()) if len(newest) > limit else None


def _newest_entries(chosen: AuditFilter, before: int | None, limit: int) -> dict[str, int]:
    """Return the id of the newest entry of each operation, by its key."""
    newest: dict[str, int] = {}
    # Of operations on earlier pages: the entry that was seen last, from the newest on.
    seen: dict[str, int] = {}
    below = before
    while len(newest) < limit:
        rows = select(AuditEntry.id, KEY).where(*conditions(chosen), AuditEntry.request_id.not_in(newest))
        rows = rows.where(AuditEntry.id < below) if below else rows
        found = rows_of(rows.order_by(AuditEntry.id.desc()).limit(CHUNK))
        if not found:
            break
        if before and found[0][0] > before - MAX_GAP:
            seen |= _oldest_from(chosen, before, {key for _, key in found} - seen.keys())
        for entry_id, key in found:
            if key in seen and seen[key] - entry_id <= MAX_GAP:
                seen[key] = entry_id
            elif len(newest) < limit:
                newest.setdefault(key, entry_id)
        below = found[-1][0]
    return newest


def _oldest_from(chosen: AuditFilter, first: int, keys: Collection[str]) -> dict[str, int]:
    """Return the oldest entry from this id on of each of these requests, if it is near."""
    near = (AuditEntry.id >= first, AuditEntry.id < first + MAX_GAP, AuditEntry.request_id.in_(keys))
    oldest = select(AuditEntry.request_id, func.min(AuditEntry.id)).where(*conditions(chosen), *near)
    return {key: entry_id for key, entry_id in rows_of(oldest.group_by(AuditEntry.request_id))}


def _operations(chosen: AuditFilter, newest: dict[str, int]) -> list[Operation]:
    """Return the operations, by the ids of their newest entries."""
    lowest = min(newest.values(), default=0) - COUNTED
    rows: dict[str, list[tuple[int, str]]] = {key: [] for key in newest}
    for entry_id, key, action in _entries_between(chosen, newest, lowest):
        if entry_id <= newest[key]:
            rows[key].append((entry_id, action))
    near_the_end = [key for key, found in rows.items() if found[0][0] - lowest <= MAX_GAP]
    with_more = _oldest_from(chosen, lowest - MAX_GAP + 1, near_the_end) if near_the_end else {}
    shown = {key: nsmallest(MAX_SHOWN, found, key=_importance) for key, found in rows.items()}
    ids = {entry_id for key, found in rows.items() for entry_id, _ in (found[0], found[-1], *shown[key])}
    stored = {row.id: row for row in db.session.execute(select(AuditEntry).where(AuditEntry.id.in_(ids))).scalars()}
    read = opened([stored[entry_id] for found in shown.values() for entry_id, _ in found])
    entries = {entry.id: entry for entry in read}
    return [
        Operation(
            entries=[entries[entry_id] for entry_id, _ in shown[key]],
            counts=Counter(action for _, action in found),
            is_partly_counted=key in with_more,
            began_at=stored[found[0][0]].at,
            ended_at=stored[found[-1][0]].at,
        )
        for key, found in rows.items()
    ]


def _entries_between(chosen: AuditFilter, newest: dict[str, int], lowest: int) -> Sequence[Row[int, str, str]]:
    """Return id, operation and action of the entries of these operations, the oldest first."""
    return rows_of(
        select(AuditEntry.id, KEY, AuditEntry.action)
        .where(*conditions(chosen), AuditEntry.id > lowest, AuditEntry.id <= max(newest.values(), default=0))
        .where(or_(AuditEntry.request_id.in_(newest), AuditEntry.id.in_(newest.values())))
        .order_by(AuditEntry.id)
    )


def _importance(row: tuple[int, str]) -> tuple[int, int]:
    """Return what entries are ordered by: those that say most of the operation first, then the oldest."""
    entry_id, action = row
    kind = action.partition(".")[0]
    if kind == FIRST_KIND:
        return 0, entry_id
    return LAST_KINDS.index(kind) + 2 if kind in LAST_KINDS else 1, entry_id
