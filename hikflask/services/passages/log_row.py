"""The row of a terminal's log (models/event.py) within a conversation, and all that is written to it and of it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update

from hikflask.extensions import db
from hikflask.isapi.events import EventRecord
from hikflask.models import EventLog
from hikflask.models.columns import database_now
from hikflask.services.core.dates import local
from hikflask.services.core.db import changed_rows
from hikflask.services.passages import coverage, switch
from hikflask.services.passages.log_state import LogState, RecordTime, Today
from hikflask.services.passages.store import serial_of, store
from hikflask.services.settings import stored as stored_settings
from hikflask.services.terminals.connection import Conversation

# A terminal that records without an end fills no disk: so many new events are stored in a day, and so many of the past.
NEW, OLD = "new", "old"
MOST = {NEW: 20_000, OLD: 50_000}


class LogRow:
    """The row as it was read or written last. `marks_utc`: local times that are marked as UTC were seen."""

    terminal_id: int
    device_serial: str
    anchor_serial: int | None
    anchor_at: datetime | None
    complete_to: datetime | None
    older_than: int | None
    honours_serials: bool | None
    page_limit: int | None
    codes: Sequence[Sequence[int]] | None
    clock_offset: int | None
    state: LogState

    def __init__(self, conversation: Conversation) -> None:
        of_terminal = select(EventLog.__table__).where(EventLog.terminal_id == conversation.terminal.id)
        row = db.session.execute(of_terminal).mappings().one()
        vars(self).update(row, state=LogState.read(row["state"]))
        self.marks_utc = False
        self._lease = conversation.lease
        day, stored = local(datetime.now(UTC)).date(), self.state.today
        self._today = stored if stored is not None and stored.day == day else Today(day)

    @property
    def anchor(self) -> int:
        """The serial number of the anchor, 0 before there is one."""
        return self.anchor_serial or 0

    def has_anchor(self, records: Collection[EventRecord]) -> bool:
        """True when the anchor is among these records."""
        at = self.state.anchor
        return at is not None and any(serial_of(one) == self.anchor_serial and at.is_of(one) for one in records)

    def has_most(self, which: str) -> bool:
        """True when as many events were stored today, NEW or OLD ones, as are in a day."""
        return bool(getattr(self._today, which) >= MOST[which])

    def anchored(self, record: EventRecord) -> dict[str, Any]:
        """Return the columns that make this record the anchor."""
        at = RecordTime.of(record)
        return {"anchor_serial": serial_of(record), "anchor_at": at.at, "state": replace(self.state, anchor=at)}

    def remember(self, **changes: Any) -> None:
        """Change the state, which is written with what is written next."""
        vars(self).update(state=replace(self.state, **changes))

    def save(self, **values: Any) -> None:
        """Write to the row alone."""
        with self.writing(values):
            pass

    @contextmanager
    def writing(self, values: Mapping[str, Any]) -> Iterator[None]:
        """Write to the row in one transaction with what is done in the block, while the terminal is ours.

        :raises passages_off: when they were switched off. Whoever deletes them all then waits for this transaction.
        """
        with self._lease.write():
            stored_settings.read_within()
            switch.require_on()
            yield
            state: LogState = replace(values.get("state", self.state), today=self._today)
            state = replace(state, marked=True) if self.marks_utc else state
            values = {"page_limit": self.page_limit, **values, "state": state.written()}
            row = update(EventLog).where(EventLog.terminal_id == self.terminal_id)
            changed_rows(row.values(**values, read_at=database_now(), error_code=""))
        vars(self).update(values, state=state)

    def store(self, records: Sequence[EventRecord], offsets: Sequence[int], *, is_new: bool, which: str = NEW) -> None:
        """Store records in their order, within the block of `writing`; those of the same offset together."""
        start = 0
        for end in range(1, len(records) + 1):
            if end == len(records) or offsets[end] != offsets[start]:
                stored = store(self.terminal_id, self.device_serial, records[start:end], offsets[start], is_new=is_new)
                self._today = replace(self._today, **{which: getattr(self._today, which) + len(stored)})
                start = end

    def cover(self, since: datetime, until: datetime, reason: str = "") -> None:
        """Write there, too, that nothing is missing of this span, or why something may be."""
        coverage.extend(self.terminal_id, self.device_serial, since, until, reason)

    def cover_since_empty(self, first: int) -> None:
        """Write there, too, that nothing is missing since the log was empty, if this is its first record's number."""
        since, until = self.state.empty, self.state.covered_from
        if since is not None and until is not None and first == 1:
            self.cover(since, until)
