"""Groups entries of the audit trail into operations: what a request did, with what its job and the terminals did by it.

They have the id of the request in common. An operation stands where its newest entry stands. An entry that is further
than MAX_GAP from the next one of its request begins another operation: these ids have no index, and no page reads the
whole trail.
"""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Row, String, case, cast, func, select

from hikflask.extensions import db
from hikflask.models import AuditEntry
from hikflask.services.audit.sealing import Entry, opened
from hikflask.services.audit.search import AuditFilter, conditions
from hikflask.services.core.db import rows_of

# In ids of entries. Five hundred people who leave six terminals take seven thousand, one after the other. Of one
# operation no more entries than COUNTED are read.
MAX_GAP, COUNTED = 2_000, 10_000
# So many entries of an operation are read in full.
MAX_SHOWN = 8
# So many entries are read at once, of a long trail more and more.
CHUNK, MAX_CHUNK = 500, 5_000
# An operation is named after what was done to employees, if anything was, and hardly ever after the last kinds.
FIRST_KIND, LAST_KINDS = "employee", ("enrolment", "capture", "job", "photo")
KEY = case((AuditEntry.request_id != "", AuditEntry.request_id), else_=cast(AuditEntry.id, String))


@dataclass(frozen=True)
class Operation:
    """What was done at once: how often each action, and some of its entries, those that say most first.

    `is_partly_counted`: there may be more entries, too many or too far from the newest one.
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


@dataclass
class _Walked:
    """An operation while its entries are read, from the newest on. `kept` are the ids of some, by their importance."""

    newest: int
    oldest: int
    total: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    kept: dict[int, deque[int]] = field(default_factory=dict)
    is_partly_counted: bool = False

    def add(self, entry_id: int, action: str) -> None:
        self.oldest = entry_id
        self.total += 1
        self.counts[action] += 1
        kind = action.partition(".")[0]
        last = LAST_KINDS.index(kind) + 2 if kind in LAST_KINDS else 1
        importance = 0 if kind == FIRST_KIND else last
        self.kept.setdefault(importance, deque(maxlen=MAX_SHOWN)).append(entry_id)

    def goes_on_with(self, entry_id: int) -> bool:
        return self.oldest - entry_id <= MAX_GAP

    @property
    def shown(self) -> list[int]:
        """The entries that say most of the operation, the oldest of these first."""
        return [entry_id for rank in sorted(self.kept) for entry_id in reversed(self.kept[rank])][:MAX_SHOWN]


def list_operations(chosen: AuditFilter, before: int | None, limit: int) -> tuple[list[Operation], int | None]:
    """Return so many operations, the newest first, and where the next page begins.

    :param before: the end of the page before this one: the operations' newest entries have lower ids.
    """
    page, older = _walk(chosen, before, limit)
    ids = {entry_id for walked in page for entry_id in (walked.newest, walked.oldest, *walked.shown)}
    stored = {row.id: row for row in db.session.execute(select(AuditEntry).where(AuditEntry.id.in_(ids))).scalars()}
    entries = {entry.id: entry for entry in opened([stored[entry_id] for walked in page for entry_id in walked.shown])}
    operations = [
        Operation(
            entries=[entries[entry_id] for entry_id in walked.shown],
            counts=dict(reversed(walked.counts.items())),
            is_partly_counted=walked.is_partly_counted,
            began_at=stored[walked.oldest].at,
            ended_at=stored[walked.newest].at,
        )
        for walked in page
    ]
    return operations, older


def _walk(chosen: AuditFilter, before: int | None, limit: int) -> tuple[list[_Walked], int | None]:
    """Return the operations of a page, and where the next one begins."""
    page: list[_Walked] = []
    # The one operation of each request that may go on: on this page, or on an earlier one.
    current = {key: _Walked(oldest, oldest) for key, oldest in _oldest_from(chosen, before).items()} if before else {}
    too_long: set[str] = set()
    for entry_id, key, action in _entries(chosen, before, too_long):
        walked = current.get(key)
        if walked is None or not walked.goes_on_with(entry_id):
            if len(page) == limit:
                _read_on(chosen, page, {key: current[key] for key in current.keys() - too_long}, entry_id)
                return page, page[-1].newest
            walked = current[key] = _Walked(entry_id, entry_id)
            page.append(walked)
        walked.add(entry_id, action)
        if walked.total == COUNTED:
            walked.is_partly_counted = True
            too_long.add(key)
    return page, None


def _entries(chosen: AuditFilter, before: int | None, without: set[str]) -> Iterator[Row[int, str, str]]:
    """Yield id, operation and action of entries, the newest first.

    :param without: requests whose entries are not read any more; it may grow meanwhile.
    """
    size, below = CHUNK, before
    newest = select(AuditEntry.id, KEY, AuditEntry.action).where(*conditions(chosen)).order_by(AuditEntry.id.desc())
    while True:
        chunk = newest.where(AuditEntry.request_id.not_in(without)) if without else newest
        rows = rows_of((chunk.where(AuditEntry.id < below) if below else chunk).limit(size))
        if not rows:
            return
        yield from (row for row in rows if row[1] not in without)
        size, below = min(2 * size, MAX_CHUNK), rows[-1][0]


def _read_on(chosen: AuditFilter, page: list[_Walked], current: dict[str, _Walked], below: int) -> None:
    """Read what the operations of a page have below its last one, as far as COUNTED."""
    lowest = page[-1].newest - COUNTED
    rows = select(AuditEntry.id, KEY, AuditEntry.action).where(*conditions(chosen))
    rows = rows.where(AuditEntry.id > lowest, AuditEntry.id < below, AuditEntry.request_id.in_(current))
    for entry_id, key, action in rows_of(rows.order_by(AuditEntry.id.desc())):
        if current[key].goes_on_with(entry_id):
            current[key].add(entry_id, action)
    near_the_end = {key: walked for key, walked in current.items() if walked.goes_on_with(lowest)}
    with_more = _oldest_from(chosen, lowest - MAX_GAP + 1) if near_the_end else {}
    for key in near_the_end.keys() & with_more.keys():
        current[key].is_partly_counted = True


def _oldest_from(chosen: AuditFilter, first: int) -> dict[str, int]:
    """Return the oldest entry of each request among those from this id on that are near."""
    near = (AuditEntry.id >= first, AuditEntry.id < first + MAX_GAP, AuditEntry.request_id != "")
    oldest = select(AuditEntry.request_id, func.min(AuditEntry.id)).where(*conditions(chosen), *near)
    return {key: entry_id for key, entry_id in rows_of(oldest.group_by(AuditEntry.request_id))}
