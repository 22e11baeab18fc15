"""Reads a log by time, in the offset of the terminal's own clock, where the firmware ignores serial numbers.

There the numbers prove that nothing is missing: they have no holes. Where they have one, the whole log is looked
through once, page by page.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import func, select

from hikflask.extensions import db
from hikflask.isapi.errors import Nonsense
from hikflask.isapi.events import EventRecord
from hikflask.models import Event
from hikflask.models.event import CLOCK, NOT_READ
from hikflask.services.passages import coverage
from hikflask.services.passages.interpretation import NO_TIME, moment_of
from hikflask.services.passages.log_clock import AFTER_IT, STEADY_SECONDS, corrected, now
from hikflask.services.passages.log_reader import VERY_FAR, LogReader
from hikflask.services.passages.log_row import OLD
from hikflask.services.passages.log_search import DAY, Found, is_newest_first
from hikflask.services.passages.log_state import LogState, Look
from hikflask.services.passages.retention import FIRST_PLAUSIBLE, kept_since
from hikflask.services.passages.store import serial_of

OVERLAP = timedelta(hours=1)
OVERLAP_SECONDS = 600.0
# Where the clock of a terminal begins that was reset, in its own zone. It knows no earlier time.
FIRST_TIME = datetime(1970, 1, 1)  # noqa: DTZ001
# So many numbers are looked for at once.
MAX_MISSING = 1000
# Stands for numbers of which nothing is known.
NEVER_FOUND = 0
# So many pages of a window of time are read in one conversation.
MAX_PAGES = 40


class ByTime(LogReader):
    """The reader for firmware that ignores serial numbers."""

    def read(self) -> bool:
        """Read what is new by the terminal's clock, then a page of what is looked through."""
        log, began = self._log, now()
        earlier, offset = log.clock_offset or 0, self._clock.offset
        has_jumped = abs(offset - earlier) > STEADY_SECONDS
        overlapped = log.state.overlap_at
        overlaps = has_jumped or overlapped is None or (began - overlapped).total_seconds() >= OVERLAP_SECONDS
        margin = OVERLAP if overlaps else timedelta(seconds=STEADY_SECONDS)
        complete_to = log.complete_to or began
        anchored_at = (log.anchor_at or NO_TIME) - timedelta(seconds=earlier)
        since = max(complete_to, anchored_at) if anchored_at <= began else complete_to
        # While the clock jumped, some were recorded before that, and some after it.
        windows = [(since, earlier), (since, offset)] if has_jumped else [(since, offset)]
        records, more, is_whole = [], False, True
        for start, ahead in windows:
            ends = start - margin + timedelta(seconds=ahead), began + DAY + timedelta(seconds=ahead)
            found = self._search.settled(partial(self._in_time, *ends))
            records += found.records
            more = more or found.more
            is_whole = is_whole and self._search.counts(found.records, times=self._window(*ends))
        if not is_whole and self._search.try_minors():
            return True
        self._prove()
        if overlaps:
            log.remember(overlap_at=began)
        missing = self._missing(records)
        if has_jumped and missing is None and not log.state.whole:
            missing = [NEVER_FOUND]
        if missing is None:
            self._keep(records, until=None if more else began, is_whole=is_whole)
        else:
            self._keep_with_holes(records, missing, began, CLOCK if has_jumped else NOT_READ)
        if not more and log.state.look is not None and not log.has_most(OLD):
            self._look_through(log.state.look)
        return more

    def around_anchor(self) -> tuple[list[EventRecord], list[EventRecord]]:
        """Return some of the records up to the number of the anchor, and some of those from it on."""
        records = self._search.first_page().records
        below = [record for record in records if serial_of(record) <= self._log.anchor]
        return below, [record for record in records if serial_of(record) > self._log.anchor]

    def _at_anchor(self) -> list[EventRecord]:
        at = self._log.anchor_at or NO_TIME
        return self._in_time(at, at).records

    def _in_time(self, start: datetime, end: datetime) -> Found:
        """Return what the terminal recorded between two moments of its own clock."""
        window = self._window(start, end)
        found = self._search.every_page(MAX_PAGES, times=window)
        first, last = (moment.replace(microsecond=0) for moment in window)
        if any(not first <= moment_of(record) <= last for record in found.records if record.at):
            raise Nonsense(message="it ignores the times of a search")
        return found

    def _window(self, start: datetime, end: datetime) -> tuple[datetime, datetime]:
        """Return two moments in the offset of the terminal's clock, none of them earlier than it can be."""
        zone = self._clock.zone
        earliest = FIRST_TIME.replace(tzinfo=zone)
        return max(start, earliest).astimezone(zone), max(end, earliest + DAY).astimezone(zone)

    def _newer(self, records: Collection[EventRecord]) -> list[EventRecord]:
        """Return the records that are newer than the anchor, in order. Numbers may have begun again at 1."""
        last, at = self._log.anchor, self._log.anchor_at or NO_TIME
        newer = [one for one in super()._newer(records) if serial_of(one) - last <= VERY_FAR or moment_of(one) >= at]
        return [*newer, *self._begun_again(records, last, at)]

    def _missing(self, records: Collection[EventRecord]) -> list[int] | None:
        """Return the numbers that are missing between the anchor and the newest record; None when there are none."""
        last = self._log.anchor
        newer = {serial for record in self._newer(records) if (serial := serial_of(record)) > last}
        if last < 0 or not newer or not self._log.state.whole or len(newer) == max(newer) - last:
            return None
        return [number for number in range(last + 1, max(newer)) if number not in newer][:MAX_MISSING]

    def _keep_with_holes(
        self, records: Collection[EventRecord], missing: list[int], until: datetime, reason: str
    ) -> None:
        """Store what is newer than the anchor, and look through the whole log for the numbers that are missing."""
        self._prove()
        log, newer = self._log, self._newer(records)
        offsets, reached = self._clock.offsets(newer, log.complete_to, is_end=True)
        values: dict[str, Any] = {"state": log.state, **self._anchored(newer), "clock_offset": reached}
        before, earlier = log.complete_to or until, log.state.look or Look()
        wanted = (*(earlier.missing or ()), *missing)[:MAX_MISSING]
        look = Look(missing=wanted, gaps=(*earlier.gaps, (before, until)))
        values |= {"complete_to": until, "state": replace(values["state"], look=look)}
        with log.writing(values):
            log.store(newer, offsets, is_new=True)
            coverage.add_gap(log.terminal_id, log.device_serial, before, until, reason)

    def _look_through(self, look: Look) -> None:
        """Read one page of the whole log, from its newest record to its oldest."""
        log, search = self._log, self._search
        code, at, turned = search.codes[look.code], look.at, look.turned
        if at is None:
            # Positions move while new records come. Looked through from the newest on, none is passed over.
            turned = is_newest_first(search.search(code, newest_first=True).records)
            at = 0 if turned else search.length(code)
        if turned:
            page = search.search(code, position=at, newest_first=True)
            start, is_end = at + page.received, not page.more
        else:
            start = max(0, at - search.limit)
            page, is_end = search.search(code, position=start, limit=max(1, at - start)), start == 0
        self._prove()
        records = sorted(page.records, key=serial_of)
        look = replace(look, at=start, turned=turned)
        if look.missing is not None:
            found = {serial_of(record) for record in records}
            look = replace(look, missing=tuple(one for one in look.missing if one not in found))
        offsets = self._clock.offsets_of_old(records)
        moments = [corrected(record, offset) for record, offset in zip(records, offsets, strict=True)]
        if is_end or (look.missing is None and moments and FIRST_PLAUSIBLE <= max(moments) < kept_since()):
            look = replace(look, code=look.code + 1, at=None)
        values = {"state": replace(log.state, look=look)}
        with log.writing(values):
            log.store(records, offsets, is_new=log.state.since is not None, which=OLD)
            if look.code >= len(search.codes) or look.missing == ():
                for since, until in look.gaps if not look.missing else ():
                    coverage.close_gap(log.terminal_id, log.device_serial, since, until)
                values["state"] = self._state_after_look()

    def _state_after_look(self) -> LogState:
        """Return the state of a log that was looked through. If it is the first one, what was proved is covered."""
        log, covered = self._log, self._log.state.covered_from
        if covered is None:
            return self._with_beginning(None)
        stored = (Event.device_serial == log.device_serial, Event.serial_no <= log.anchor, Event.serial_no > 0)
        columns = (func.count(Event.serial_no.distinct()), func.min(Event.serial_no))
        count, first = db.session.execute(select(*columns).where(*stored)).one()
        if first is None or not self._search.is_told or (log.state.whole and count != log.anchor - first + 1):
            return self._with_beginning(None)
        begins = select(Event.occurred_at, Event.device_at).where(*stored, Event.serial_no == first).limit(1)
        at, device_at = db.session.execute(begins).one()
        # One of an unknown clock, which was put at a moment, tells nothing of that moment.
        if at >= FIRST_PLAUSIBLE and device_at - at == timedelta(seconds=self._clock.offset_of_old):
            log.cover(at + AFTER_IT, covered)
        log.cover_since_empty(first)
        return self._with_beginning(first)
