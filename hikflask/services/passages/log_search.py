"""What the log of a terminal can be asked for: which codes, in how long pages, and how many records there are."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from hikflask.codes.events import INFO, TYPES, type_of
from hikflask.isapi import events
from hikflask.isapi.errors import Nonsense, NotSupported, Refused
from hikflask.isapi.events import EventPage, EventRecord, Limits, NothingCame
from hikflask.services.passages.interpretation import moment_of
from hikflask.services.passages.log_clock import LogClock, now
from hikflask.services.passages.log_row import LogRow
from hikflask.services.passages.log_state import Look
from hikflask.services.passages.store import serial_of
from hikflask.services.terminals.connection import Conversation, usable_answer

# A conversation goes on for so long where much is to be read.
SLICE_SECONDS = 5.0
# The end of a window without an end: some firmware refuses a larger number, and one without an end.
LAST = 999_999_999
ALL = [[0, 0]]
# The terminal's own journal and its passages, one by one, where it does not tell all at once. What happens at the door
# first.
EVENT = 5
MAJORS = (EVENT, 1, 2, 3, 4)
# Who passed or did not, where a terminal tells neither all at once nor what it has.
USUAL_MINORS = (75, 76, 1, 9, 38, 39, 6, 7, 8, 104)
# Where the terminal counts more events at the door than it tells, these are tried: not all have to be in its list.
TRIED_MINORS = sorted({*range(1, 256), *(minor for major, minor in TYPES if major == EVENT)})
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Found:
    """The first page of a search, or all of it, and whether there is more."""

    records: list[EventRecord]
    more: bool


class LogSearch:
    """Searches within a conversation. `unproved`: how many since the last whose answer had the anchor."""

    def __init__(self, conversation: Conversation, log: LogRow, clock: LogClock) -> None:
        self._talk, self.log, self.clock = conversation, log, clock
        self._until = time.monotonic() + SLICE_SECONDS
        self.unproved = 0

    @property
    def is_time_over(self) -> bool:
        """True when the conversation has lasted long enough."""
        return time.monotonic() > self._until

    def search(
        self, code: Sequence[int], *, search_id: str = "", position: int = 0, limit: int | None = None, **window: Any
    ) -> EventPage:
        """Return one page of what has a code."""
        major, minor = code
        page = events.search(
            self._talk,
            search_id=search_id or events.new_search(),
            position=position,
            limit=limit or self.limit,
            major=major,
            minor=minor,
            zone=self.clock.zone_of_records,
            else_zone=self.clock.zone,
            z_is_local=self.clock.z_is_local,
            **window,
        )
        self.log.marks_utc = self.log.marks_utc or any(map(self.clock.is_marked, page.records))
        self.unproved = 0 if self.log.has_anchor(page.records) else self.unproved + 1
        return page

    @property
    def limit(self) -> int:
        """How many records a page has."""
        return self.log.page_limit or events.SAFE_PAGE

    @property
    def codes(self) -> Sequence[Sequence[int]]:
        """The codes that are asked for, one after the other."""
        return self.log.codes or ALL

    def learn(self) -> None:
        """Find out what the terminal can be asked for, and write it."""
        limits = usable_answer(lambda: events.limits(self._talk)) or Limits()
        self.log.page_limit = limits.page
        codes = ALL if self._takes((0, 0)) else [list(code) for code in self._taken(limits)]
        if not codes:
            raise Nonsense(message="it tells of no events")
        is_whole = codes == ALL or (
            bool(limits.majors) and all([major, 0] in codes for major in limits.majors if major)
        )
        self.log.save(page_limit=limits.page, codes=codes, state=replace(self.log.state, whole=is_whole))

    def _taken(self, limits: Limits) -> Iterator[tuple[int, int]]:
        for major in MAJORS:
            if limits.majors and major not in limits.majors:
                continue
            if self._takes((major, 0)):
                yield major, 0
                continue
            # Of its own journal no more than what matters: each code is a request of its own.
            listed = limits.minors.get(major, ())
            yield from ((major, minor) for minor in listed if major == EVENT or type_of(major, minor).severity != INFO)
            if not listed and major == EVENT:
                yield from ((major, minor) for minor in USUAL_MINORS if self._takes((major, minor)))

    def _takes(self, code: tuple[int, int]) -> bool:
        """True when a search for this code is not refused.

        :raises NotSupported: when the terminal has no log that can be searched.
        """
        try:
            self.search(code, limit=1)
        except NotSupported:
            raise
        except NothingCame:
            return True
        except (Refused, Nonsense) as error:
            if error.retryable:
                raise
            return False
        return True

    @property
    def is_told(self) -> bool:
        """True where the terminal is asked for all that happens at the door, and not for one minor after the other."""
        return bool(self.log.state.whole) or [EVENT, 0] in self.codes

    def counts(self, records: Collection[EventRecord], **window: Any) -> bool:
        """True when the terminal has no other events at the door in a window than these, as far as it counts them."""
        if self.is_told:
            return True
        total = usable_answer(partial(events.count, self._talk, major=EVENT, **window))
        return total == sum(record.major == EVENT for record in records)

    def try_minors(self) -> bool:
        """Try the minors that the terminal does not list, for some seconds; return True while there is more to do."""
        state = self.log.state
        if state.tried_at is not None and now() - state.tried_at < DAY:
            return False
        codes, tried = [list(code) for code in self.codes], state.tried or 0
        for minor in (one for one in TRIED_MINORS if one > tried and [EVENT, one] not in self.codes):
            if self.is_time_over:
                self.log.save(codes=codes, state=replace(state, tried=tried))
                return True
            page = usable_answer(partial(self.search, (EVENT, minor), limit=1))
            if page is not None and page.records:
                codes.append([EVENT, minor])
            tried = minor
        had_tried, state = state.tried is not None, replace(state, tried=None, tried_at=now())
        if len(codes) == len(self.codes) and not had_tried:
            self.log.save(state=state)
            return False
        # What was read is read again, with them.
        if self.log.honours_serials:
            again, older_than = replace(state, oldest=state.anchor, look=None), self.log.anchor_serial
        else:
            again, older_than = replace(state, look=Look()), None
        self.log.save(codes=codes, older_than=older_than, state=again)
        return True

    def first_page(self, **window: Any) -> Found:
        """Return the first page of a search for each code."""
        records, more = [], False
        for code in self.codes:
            search_id = events.new_search()
            page = self.search(code, search_id=search_id, **window)
            records += page.records
            if page.more and not page.is_told:
                page = self.search(code, search_id=search_id, position=page.received, **window)
            more = more or page.more
        return Found(records, more)

    def every_page(self, most: int, **window: Any) -> Found:
        """Return all pages of a search, up to so many for each code. :raises Nonsense: when the list repeats itself."""
        records: dict[tuple[int, datetime | None], EventRecord] = {}
        more = False
        for code in self.codes:
            search_id, position, has_more = events.new_search(), 0, True
            for _ in range(most):
                page = self.search(code, search_id=search_id, position=position, **window)
                fresh = {(serial_of(record), record.at): record for record in page.records}
                if page.more and not fresh.keys() - records.keys():
                    raise Nonsense(message="the log repeats itself")
                if page.more and page.is_told and page.received < self.limit:
                    self.log.page_limit = page.received
                records |= fresh
                position += page.received
                has_more = page.more
                if not has_more:
                    break
            more = more or has_more
        return Found(list(records.values()), more)

    def settled(self, ask: Callable[[], Found]) -> Found:
        """Return what is found, without what may have been recorded after some codes were asked and before others.

        So where codes are asked one by one they are asked twice, for what was there the first time.
        """
        found = ask()
        newest = max(map(serial_of, found.records), default=self.log.anchor)
        if len(self.codes) == 1 or newest <= self.log.anchor:
            return found
        again = ask()
        return Found([record for record in again.records if serial_of(record) <= newest], again.more)

    def tail(self, code: Sequence[int]) -> list[EventRecord]:
        """Return the newest records that have a code, about a page."""
        page = self.search(code, newest_first=True)
        if page.more and not is_newest_first(page.records):
            page = self.search(code, position=max(0, self.length(code) - self.limit), newest_first=True)
        return page.records

    def length(self, code: Sequence[int]) -> int:
        """Return how many records a search for all finds: what the terminal tells, or what shows when it is not so."""
        total = self.search(code, limit=1).total
        if total and self._has(code, total - 1) and not self._has(code, total):
            return total
        low, high = 0, self.limit
        while self._has(code, high):
            low, high = high + 1, 2 * high
            if high > LAST:
                raise Nonsense(message="it has events at any position")
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self._has(code, middle) else (low, middle)
        return low

    def _has(self, code: Sequence[int], position: int) -> bool:
        page = usable_answer(lambda: self.search(code, position=position, limit=1))
        return page is not None and page.received > 0


def is_newest_first(records: Sequence[EventRecord]) -> bool:
    """True when a page begins with its newest record."""
    return len(records) > 1 and in_time(records[0]) > in_time(records[-1])


def in_time(record: EventRecord) -> tuple[datetime, int]:
    """Return what sorts records by time."""
    return moment_of(record), serial_of(record)
