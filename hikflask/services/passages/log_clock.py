"""The clock of a terminal as the records of its log show it: by how much it was ahead when each of them was made."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from typing import Any

from hikflask.isapi import events, system_time
from hikflask.isapi.events import EventRecord
from hikflask.services.core.dates import local
from hikflask.services.passages.interpretation import moment_of
from hikflask.services.passages.log_row import LogRow
from hikflask.services.terminals import clock
from hikflask.services.terminals.connection import Conversation, usable_answer

# So much may two clocks differ that are not wrong.
STEADY_SECONDS = 60
# The clock is shown in whole seconds.
ROUNDED_SECONDS = 2
# What follows a record for sure: another one of the same second may be overwritten.
AFTER_IT = timedelta(seconds=ROUNDED_SECONDS + 1)


class LogClock:
    """The clock within a conversation. It is asked once, and only when it must be."""

    def __init__(self, conversation: Conversation, log: LogRow) -> None:
        self._talk, self._log = conversation, log
        self._measured: dict[str, Any] | None = None

    @property
    def is_measured(self) -> bool:
        """True once the terminal was asked in this conversation."""
        return self._measured is not None

    def measure(self) -> dict[str, Any]:
        """Return what the terminal tells of its clock, as the columns of its row."""
        if self._measured is None:
            self._measured = usable_answer(lambda: clock.read(self._talk)) or {}
            self._talk.pending_updates |= self._measured
        return self._measured

    @property
    def offset(self) -> int:
        """By how many seconds the terminal's clock is ahead now."""
        offset = self.measure().get("clock_offset")
        if offset is None:
            return self._log.clock_offset or 0
        return 0 if abs(offset) <= ROUNDED_SECONDS else int(offset)

    @property
    def _known(self) -> Mapping[str, Any]:
        """What is known of the terminal's zone, as the columns of its row."""
        terminal = self._talk.terminal
        return self._measured or {"zone": terminal.zone, "clock_doubt": terminal.clock_doubt}

    @property
    def zone_there(self) -> tzinfo | None:
        """The zone of the terminal's clock, as far as it tells."""
        return system_time.zone(self._known["zone"])

    @property
    def zone_of_records(self) -> tzinfo | None:
        """The same, where it is the zone of a time that is marked as UTC, too."""
        return self.zone_there if self._known.get("clock_doubt") != clock.TOLD_IN_UTC else None

    @property
    def zone(self) -> tzinfo:
        """The zone, or the current offset of ours where the terminal does not tell."""
        return self.zone_there or timezone(local(now()).utcoffset() or timedelta())

    @property
    def z_is_local(self) -> bool:
        """True where the terminal marks the local time of its clock as UTC, and so that of its records."""
        return bool(self._known.get("clock_doubt") == clock.MARKED)

    def is_marked(self, record: EventRecord) -> bool:
        """True when the time of a record is marked as UTC, which it is not."""
        zone = self.zone_there
        if zone is None or not events.is_marked_as_utc(record.time, self.z_is_local):
            return False
        return bool(now().astimezone(zone).utcoffset())

    def offsets(self, records: Sequence[EventRecord], since: datetime | None, *, is_end: bool) -> tuple[list[int], int]:
        """Return for each of some new records, in order, by how much the clock was ahead then, and after the last one.

        :param since: all were recorded after this moment, where that is known. :param is_end: the last one is the
            newest of the log.
        """
        earlier = self._log.clock_offset
        if not records and self._measured is None:
            return [], earlier or 0
        ahead, latest = self.offset, now()
        jumped = 0
        if earlier is not None and abs(ahead - earlier) > STEADY_SECONDS:
            jumped = self._jump(records, ahead - earlier, is_end=is_end)
        offsets = [earlier or 0] * jumped + [ahead] * (len(records) - jumped)
        reached = ahead if is_end or jumped < len(records) else [earlier or 0, *offsets][-1]
        return [bounded(record, one, since, latest) for record, one in zip(records, offsets, strict=True)], reached

    @property
    def offset_of_old(self) -> int:
        """By how many seconds the clock was ahead when the log was first read."""
        return self._log.state.ahead if self._log.state.ahead is not None else self._log.clock_offset or 0

    def offsets_of_old(self, records: Sequence[EventRecord]) -> list[int]:
        """Return the same for records from before the log was first read: as far as is known, as it was then."""
        latest = now()
        return [bounded(record, self.offset_of_old, self._log.state.since, latest) for record in records]

    def _jump(self, records: Sequence[EventRecord], seconds: int, *, is_end: bool) -> int:
        """Return how many of the records were made before the clock jumped by so many seconds: where times leap."""
        shown = [moment_of(record) for record in records]
        if self._log.anchor_at is not None:
            shown.insert(0, self._log.anchor_at)
        if is_end:
            shown.append(now() + timedelta(seconds=self.offset))
        steps = [(later - before).total_seconds() for before, later in pairwise(shown)]
        if not steps:
            return 0
        step = max(steps) if seconds > 0 else min(steps)
        leaps = step >= seconds - STEADY_SECONDS if seconds > 0 else step < -STEADY_SECONDS
        if not leaps and not is_end:
            return len(records)
        return min(steps.index(step) + (self._log.anchor_at is None), len(records))


def now() -> datetime:
    """Return the current moment."""
    return datetime.now(UTC)


def corrected(record: EventRecord, offset: int) -> datetime:
    """Return when a record was made, by a clock that was ahead by so many seconds."""
    return moment_of(record) - timedelta(seconds=offset)


def bounded(record: EventRecord, offset: int, since: datetime | None, latest: datetime) -> int:
    """Return the offset that puts a record between two moments; one of an unknown clock is put at the nearer one."""
    slack = timedelta(seconds=STEADY_SECONDS)
    at = corrected(record, offset)
    if at > latest + slack:
        return round((moment_of(record) - latest).total_seconds())
    if since is not None and at < since - slack:
        return round((moment_of(record) - since).total_seconds())
    return offset
