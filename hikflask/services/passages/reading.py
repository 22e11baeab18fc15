"""Reads the log of one terminal in one conversation, so that nothing is lost, and what may be missing is known.

The anchor is the newest record that was read. A window of serial numbers begins at it, so each answer proves by itself
that the log goes on: while the anchor is there with its time, all that was recorded since has a higher number. When it
is not there, the log began anew, or overwrote what was not read yet, or is another device's. Then there is a gap, and
the log is read from its newest record on, and backwards to its first one. Where more than a page follows, windows are
as narrow as a page, so that nothing shifts under the reader.

Firmware that ignores serial numbers is read by time, in the offset of its own clock. There the numbers prove that
nothing is missing: they have no holes. Where they have one, the whole log is looked through once, page by page.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import partial
from itertools import pairwise
from typing import Any

from sqlalchemy import Row, func, select, update

from hikflask.codes.events import INFO, TYPES, type_of
from hikflask.extensions import db
from hikflask.isapi import device, events, system_time
from hikflask.isapi.errors import Nonsense, NotSupported, Refused
from hikflask.isapi.events import EventPage, EventRecord, Limits, NothingCame
from hikflask.models import Event, EventLog
from hikflask.models.columns import database_now
from hikflask.models.event import CLOCK, NEW_LOG, NOT_READ, NOT_TOLD, OTHER_DEVICE, OVERWRITTEN
from hikflask.services.core.dates import local
from hikflask.services.core.db import changed_rows
from hikflask.services.passages import coverage, switch
from hikflask.services.passages.interpretation import NO_TIME, moment_of
from hikflask.services.passages.log_state import LogState, Look, RecordTime, Today
from hikflask.services.passages.retention import FIRST_PLAUSIBLE, kept_since
from hikflask.services.passages.store import known_keys, serial_of, store
from hikflask.services.settings import stored as stored_settings
from hikflask.services.terminals import clock
from hikflask.services.terminals.connection import Conversation, usable_answer

# A conversation goes on for so long where much is to be read.
SLICE_SECONDS = 5.0
# The end of a window without an end: some firmware refuses a larger number, and one without an end.
LAST = 999_999_999
# After it some firmware begins again at 1, as the vendor's guide says of all; some after another number.
LAST_SERIAL = 100_000
# So far apart are the numbers of records before and after that, at least; and so far that the higher is the older.
FAR, VERY_FAR = 500, LAST_SERIAL // 2
ALL = [[0, 0]]
# The terminal's own journal and its passages, one by one, where it does not tell all at once. What happens at the door
# first.
EVENT = 5
MAJORS = (EVENT, 1, 2, 3, 4)
# Who passed or did not, where a terminal tells neither all at once nor what it has.
USUAL_MINORS = (75, 76, 1, 9, 38, 39, 6, 7, 8, 104)
# Where the terminal counts more events at the door than it tells, these are tried: not all have to be in its list.
TRIED_MINORS = sorted({*range(1, 256), *(minor for major, minor in TYPES if major == EVENT)})
# So much may two clocks differ that are not wrong.
STEADY_SECONDS = 60
# The clock is shown in whole seconds.
ROUNDED_SECONDS = 2
OVERLAP = timedelta(hours=1)
OVERLAP_SECONDS = 600.0
DAY = timedelta(days=1)
# Where the clock of a terminal begins that was reset, in its own zone. It knows no earlier time.
FIRST_TIME = datetime(1970, 1, 1)  # noqa: DTZ001
# So many numbers are looked for at once.
MAX_MISSING = 1000
# Stands for numbers of which nothing is known.
NEVER_FOUND = 0
# So many pages of a window of time are read in one conversation.
MAX_PAGES = 40
# A terminal that records without an end fills no disk: so many new events are stored in a day, and so many of the past.
NEW, OLD = "new", "old"
MOST = {NEW: 20_000, OLD: 50_000}


class SerialsIgnored(Exception):
    """The firmware does not select by serial numbers."""


class AnchorLost(Exception):
    """The anchor is not in the log any more."""


@dataclass
class Log:
    """The row of a terminal's log (models/event.py), as it was read or written last."""

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


COLUMNS = tuple(getattr(EventLog, name) for name in Log.__dataclass_fields__)


@dataclass(frozen=True)
class Found:
    """The first page of a search, or all of it, and whether there is more."""

    records: list[EventRecord]
    more: bool


class Reading:
    """What is read of one log within one conversation."""

    def __init__(self, talk: Conversation, row: Row[Any]) -> None:
        self._talk = talk
        self._log = Log(**{**row._mapping, "state": LogState.read(row.state)})
        self._until = time.monotonic() + SLICE_SECONDS
        self._measured: dict[str, Any] | None = None
        today, stored = local(now()).date(), self._log.state.today
        self._today = stored if stored is not None and stored.day == today else Today(today)
        # Requests since the last one whose answer had the anchor, and so was of this log.
        self._unproved = 0
        self._marks_utc = False

    @property
    def has_older(self) -> bool:
        """True while older records are still to be read today."""
        is_left = self._log.older_than is not None or self._log.state.look is not None
        return is_left and not self._has_most(OLD) and not self._log.state.halted

    def _has_most(self, which: str) -> bool:
        """True when as many events were stored today as are in a day."""
        return bool(getattr(self._today, which) >= MOST[which])

    def read(self) -> bool:
        """Read on; return True when more is left for another conversation at once.

        :raises TerminalError: when the terminal does not answer, or not as it should. What was read stays.
        :raises LeaseLost: when somebody else has the terminal now.
        """
        if self._log.codes is None:
            self._learn()
        if self._zone_there is None:
            self._measure()  # Times that are marked as UTC are of its zone.
        if self._log.anchor_serial is None:
            return self._begin()
        try:
            try:
                return self._go_on()
            except AnchorLost:
                return self._lose_anchor()
        except SerialsIgnored:
            look = self._log.state.look if self._log.older_than is None else Look()
            self._save(honours_serials=False, older_than=None, state=replace(self._log.state, oldest=None, look=look))
            return True

    def _go_on(self) -> bool:
        if self._has_most(NEW):
            self._save(state=replace(self._log.state, halted=True))
            return False
        self._remember(halted=None)
        if not self._log.honours_serials:
            return self._read_by_time()
        if self._read_on():
            return True
        if self._log.older_than is not None and not self._has_most(OLD):
            self._read_back(self._log.older_than)
        return False

    # What the terminal can be asked for.

    def _learn(self) -> None:
        limits = usable_answer(lambda: events.limits(self._talk)) or Limits()
        self._log.page_limit = limits.page
        codes = ALL if self._takes((0, 0)) else [list(code) for code in self._codes(limits)]
        if not codes:
            raise Nonsense(message="it tells of no events")
        is_whole = codes == ALL or (
            bool(limits.majors) and all([major, 0] in codes for major in limits.majors if major)
        )
        self._save(page_limit=limits.page, codes=codes, state=replace(self._log.state, whole=is_whole))

    def _codes(self, limits: Limits) -> Iterator[tuple[int, int]]:
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
            self._search(code, limit=1)
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
    def _is_told(self) -> bool:
        """True where the terminal is asked for all that happens at the door, and not for one minor after the other."""
        return bool(self._log.state.whole) or [EVENT, 0] in self._all_codes

    def _counts(self, records: Collection[EventRecord], **window: Any) -> bool:
        """True when the terminal has no other events at the door in a window than these, as far as it counts them."""
        if self._is_told:
            return True
        total = usable_answer(partial(events.count, self._talk, major=EVENT, **window))
        return total == sum(record.major == EVENT for record in records)

    def _try_minors(self) -> bool:
        """Try the minors that the terminal does not list, for some seconds; return True while there is more to do."""
        state = self._log.state
        if state.tried_at is not None and now() - state.tried_at < DAY:
            return False
        codes, tried = [list(code) for code in self._all_codes], state.tried or 0
        for minor in (one for one in TRIED_MINORS if one > tried and [EVENT, one] not in self._all_codes):
            if time.monotonic() > self._until:
                self._save(codes=codes, state=replace(state, tried=tried))
                return True
            page = usable_answer(partial(self._search, (EVENT, minor), limit=1))
            if page is not None and page.records:
                codes.append([EVENT, minor])
            tried = minor
        had_tried, state = state.tried is not None, replace(state, tried=None, tried_at=now())
        if len(codes) == len(self._all_codes) and not had_tried:
            self._save(state=state)
            return False
        # What was read is read again, with them.
        if self._log.honours_serials:
            again = replace(state, oldest=state.anchor, look=None)
        else:
            again = replace(state, look=Look())
        older_than = self._log.anchor_serial if self._log.honours_serials else None
        self._save(codes=codes, older_than=older_than, state=again)
        return True

    # Searches.

    def _search(
        self, code: Sequence[int], *, search_id: str = "", position: int = 0, limit: int | None = None, **window: Any
    ) -> EventPage:
        major, minor = code
        page = events.search(
            self._talk,
            search_id=search_id or events.new_search(),
            position=position,
            limit=limit or self._limit,
            major=major,
            minor=minor,
            zone=self._zone_there if self._clock.get("clock_doubt") != clock.TOLD_IN_UTC else None,
            z_is_local=self._z_is_local,
            **window,
        )
        self._marks_utc = self._marks_utc or any(map(self._is_marked, page.records))
        self._unproved = 0 if self._has_anchor(page.records) else self._unproved + 1
        return page

    @property
    def _limit(self) -> int:
        return self._log.page_limit or events.SAFE_PAGE

    @property
    def _all_codes(self) -> Sequence[Sequence[int]]:
        return self._log.codes or ALL

    def _first_page(self, **window: Any) -> Found:
        """Return the first page of a search for each code."""
        records, more = [], False
        for code in self._all_codes:
            search_id = events.new_search()
            page = self._search(code, search_id=search_id, **window)
            records += page.records
            if page.more and not page.is_told:
                page = self._search(code, search_id=search_id, position=page.received, **window)
            more = more or page.more
        return Found(records, more)

    def _every_page(self, most: int, **window: Any) -> Found:
        """Return all pages of a search, up to so many for each code.

        :raises Nonsense: when the list repeats itself.
        """
        records: dict[tuple[int, datetime | None], EventRecord] = {}
        more = False
        for code in self._all_codes:
            search_id, position, is_left = events.new_search(), 0, True
            for _ in range(most):
                page = self._search(code, search_id=search_id, position=position, **window)
                fresh = {(serial_of(record), record.at): record for record in page.records}
                if page.more and not fresh.keys() - records.keys():
                    raise Nonsense(message="the log repeats itself")
                if page.more and page.is_told and page.received < self._limit:
                    self._log.page_limit = page.received
                records |= fresh
                position += page.received
                is_left = page.more
                if not is_left:
                    break
            more = more or is_left
        return Found(list(records.values()), more)

    def _open_window(self, first: int, last: int = LAST) -> Found:
        """Return the first page of the records with these serial numbers."""
        with _serials_are_taken():
            return self._checked(self._first_page(serials=(first, last)), first, last)

    def _whole_window(self, first: int, last: int) -> Found:
        """Return all records with these serial numbers, no more than a page or two."""
        most = last - first + 1
        with _serials_are_taken():
            found = self._first_page(serials=(first, last))
            if found.more and len({record.serial_no for record in found.records}) < most:
                found = self._every_page(most, serials=(first, last))
        return self._checked(found, first, last)

    def _settled(self, ask: Callable[[], Found]) -> Found:
        """Return what is found, without what may have been recorded after some codes were asked and before others.

        So where codes are asked one by one they are asked twice, for what was there the first time.
        """
        found = ask()
        newest = max(map(serial_of, found.records), default=self._anchor)
        if len(self._all_codes) == 1 or newest <= self._anchor:
            return found
        again = ask()
        return Found([record for record in again.records if serial_of(record) <= newest], again.more)

    def _checked(self, found: Found, first: int, last: int) -> Found:
        if any(record.serial_no is None or not first <= record.serial_no <= last for record in found.records):
            raise SerialsIgnored
        return found

    def _nearest(self, first: int, last: int, *, highest: bool = False) -> Found:
        """Return the lowest records of a large window, or the highest, not more than a page: by halving it."""
        found = self._open_window(first, last)
        while found.more and first < last:
            middle = (first + last) // 2
            near = (middle + 1, last) if highest else (first, middle)
            nearer = self._open_window(*near)
            if nearer.records:
                (first, last), found = near, nearer
                continue
            first, last = (first, middle) if highest else (middle + 1, last)
            found = self._open_window(first, last)
        return found

    # From the anchor on.

    def _read_on(self) -> bool:
        while True:
            began, anchor = now(), self._anchor
            found = self._settled(partial(self._open_window, anchor))
            if not (found.more or self._has_anchor(found.records)):
                raise AnchorLost
            # Where the newest come first, or the clock was set back, the anchor is on a later page.
            self._prove()
            if not found.more:
                self._look_below(found.records)
                is_whole = self._counts(found.records, serials=(anchor, LAST))
                if not is_whole and self._try_minors():
                    return True
                self._keep(found.records, until=began, is_whole=is_whole)
                return False
            numbers = {serial_of(record) for record in found.records}
            if numbers == {*range(self._anchor, self._anchor + len(numbers))}:
                self._keep(found.records)  # Whatever the order of the log, there is nothing between them.
            if not self._catch_up():
                return True
            if self._anchor == anchor:
                raise Nonsense(message="more events follow, but none came")

    def _catch_up(self) -> bool:
        """Read windows that are as narrow as a page; return True when the end is near, False when the time is over."""
        while time.monotonic() < self._until:
            first, limit = self._anchor, self._limit
            records = self._settled(partial(self._whole_window, first, first + limit - 1)).records
            if not self._has_anchor(records):
                raise AnchorLost
            if len(records) == 1:
                records = self._settled(partial(self._nearest, first + limit, LAST)).records  # Beyond a hole.
                if not records:
                    return True
            newer = [record for record in records if serial_of(record) > first]
            self._keep(records, is_whole=self._counts(newer, serials=(first + 1, max(map(serial_of, newer)))))
            if len(records) < limit:
                return True
        return False

    @property
    def _anchor(self) -> int:
        return self._log.anchor_serial or 0

    def _has_anchor(self, records: Collection[EventRecord]) -> bool:
        time = self._log.state.anchor
        return time is not None and any(
            serial_of(record) == self._log.anchor_serial and time.is_of(record) for record in records
        )

    def _prove(self) -> None:
        """Make sure that all that was read is of this log, before it is stored.

        :raises AnchorLost: when it may be of another one.
        """
        if not self._unproved:
            return
        if self._log.honours_serials:
            found = self._open_window(self._anchor, self._anchor)
        else:
            at = self._log.anchor_at or NO_TIME
            found = self._in_time(at, at)
        if not self._has_anchor(found.records):
            raise AnchorLost
        self._unproved = 0

    def _keep(self, records: Collection[EventRecord], *, until: datetime | None = None, is_whole: bool = True) -> None:
        """Store what is newer than the anchor, and move the anchor to the newest.

        :param until: the moment up to which everything is here then, when the log's end was read.
        :param is_whole: the terminal has no other records of that time.
        """
        self._prove()
        log = self._log
        newer = self._newer(records)
        values: dict[str, Any] = {}
        offsets, reached = self._offsets(newer, log.complete_to, is_end=until is not None)
        if newer and serial_of(newest := max(newer, key=serial_of)) > self._anchor:
            values |= self._anchored(newest)
        if self._measured is not None:
            values["clock_offset"] = reached
        before, is_whole = log.complete_to, is_whole and not log.state.unsure
        unsure = None if is_whole or until is not None else True
        values["state"] = replace(values.get("state", log.state), unsure=unsure)
        if until is not None and before is not None:
            values["complete_to"] = until = max(until, before)
        with self._writing(values):
            self._store(newer, offsets, is_new=True)
            if until is not None and before is not None:
                reason = "" if is_whole else NOT_TOLD
                coverage.extend(log.terminal_id, log.device_serial, before, until, reason)

    def _newer(self, records: Collection[EventRecord]) -> list[EventRecord]:
        """Return the records that are newer than the anchor, in order. By time, numbers may have begun again at 1."""
        newer = sorted((record for record in records if serial_of(record) > self._anchor), key=serial_of)
        if self._log.honours_serials:
            return newer
        at = self._log.anchor_at or NO_TIME
        newer = [one for one in newer if serial_of(one) - self._anchor <= VERY_FAR or moment_of(one) >= at]
        return [*newer, *self._begun_again(records, self._anchor, at)]

    def _begun_again(self, records: Collection[EventRecord], last: int, at: datetime) -> list[EventRecord]:
        """Return the records that are not here yet whose numbers began again at 1 after this last one."""
        later = [one for one in records if last - serial_of(one) > FAR and moment_of(one) >= at]
        known = known_keys(self._log.device_serial, [serial_of(record) for record in later])
        unknown = [record for record in later if (serial_of(record), moment_of(record)) not in known]
        return sorted(unknown, key=serial_of)

    def _look_below(self, records: Collection[EventRecord]) -> None:
        """Now and then, look whether the numbers began again at 1, which no window that begins at the anchor shows.

        :raises SerialsIgnored: when they did; time tells their order still.
        """
        looked_at, began = self._log.state.looked_at, now()
        newest = max(records, key=serial_of)
        is_early = looked_at is not None and (began - looked_at).total_seconds() < OVERLAP_SECONDS
        if newest.serial_no != LAST_SERIAL and (is_early or self._log.older_than is not None):
            return
        first = self._open_window(1, self._limit).records
        self._prove()
        if self._begun_again(first, serial_of(newest), moment_of(newest)):
            self._remember(look=Look())
            raise SerialsIgnored
        self._remember(looked_at=began)

    def _anchored(self, record: EventRecord) -> dict[str, Any]:
        return {
            "anchor_serial": serial_of(record),
            "anchor_at": moment_of(record),
            "state": replace(self._log.state, anchor=RecordTime.of(record)),
        }

    # Where there is no anchor.

    def _begin(self) -> bool:
        """Take the newest record of a log as the anchor. Return True when that is done."""
        log = self._log
        serial, began = self._device_serial(), now()
        newest = self._newest()
        if newest is None:
            self._keep_empty(serial, began)
            return False
        began, was_empty = now(), log.state.empty is not None and serial == log.device_serial
        honours = self._honours(newest)
        offset = self._clock_offset
        if self._device_serial() != serial:
            return True
        gap, reason = None if was_empty else log.complete_to, self._why_not(serial)
        at = RecordTime.of(newest)
        state = replace(log.state, lost=None, anchor=at, ahead=offset, looked_at=began, begun=began)
        state = replace(state, oldest=at) if honours else replace(state, look=Look())
        if not was_empty:
            state = replace(state, empty=None)
        if gap is None:
            state = replace(state, covered_from=began)
        values = {
            **self._anchored(newest),
            "device_serial": serial,
            "honours_serials": honours,
            "older_than": newest.serial_no if honours else None,
            "complete_to": began,
            "clock_offset": offset,
            "state": state,
        }
        log.device_serial = serial
        offsets = [_bounded(newest, offset, log.state.since, began)]
        with self._writing(values):
            self._store([newest], offsets, is_new=gap is not None or was_empty)
            if gap is not None:
                coverage.add_gap(log.terminal_id, serial, gap, began, reason)
        return True

    def _why_not(self, serial: str) -> str:
        """Return why events from before this log, which is of the device with this serial number, may be missing."""
        if self._log.state.empty is not None and serial != self._log.device_serial:
            return OTHER_DEVICE
        return self._log.state.lost or NEW_LOG

    def _keep_empty(self, serial: str, until: datetime) -> None:
        """Write that a log has no record: nothing is missing since it had none before."""
        log = self._log
        if not self._counts([]):
            self._save(device_serial=serial)
            return
        before, state = log.complete_to, replace(log.state, lost=None, since=until, empty=until, begins=NEW_LOG)
        is_same = log.state.empty is not None and serial == log.device_serial
        with self._writing({"device_serial": serial, "complete_to": until, "state": state}):
            if before is not None and is_same:
                coverage.extend(log.terminal_id, serial, before, until)
            elif before is not None:
                coverage.add_gap(log.terminal_id, serial, before, until, self._why_not(serial))

    def _newest(self) -> EventRecord | None:
        """Return the record with the highest number among those at the end of the log, where they begin again at 1."""
        records = [record for code in self._all_codes for record in self._tail(code)]
        if not records:
            return None
        latest, highest = max(records, key=_in_time), max(records, key=serial_of)
        if VERY_FAR < serial_of(highest) - serial_of(latest) < LAST_SERIAL:
            return max((one for one in records if serial_of(one) <= VERY_FAR), key=serial_of)
        return highest

    def _tail(self, code: Sequence[int]) -> list[EventRecord]:
        page = self._search(code, newest_first=True)
        if page.more and not _is_newest_first(page.records):
            page = self._search(code, position=max(0, self._length(code) - self._limit), newest_first=True)
        return page.records

    def _length(self, code: Sequence[int]) -> int:
        """Return how many records a search for all finds: what the terminal tells, or what shows when it is not so."""
        total = self._search(code, limit=1).total
        if total and self._has(code, total - 1) and not self._has(code, total):
            return total
        low, high = 0, self._limit
        while self._has(code, high):
            low, high = high + 1, 2 * high
            if high > LAST:
                raise Nonsense(message="it has events at any position")
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self._has(code, middle) else (low, middle)
        return low

    def _has(self, code: Sequence[int], position: int) -> bool:
        page = usable_answer(lambda: self._search(code, position=position, limit=1))
        return page is not None and page.received > 0

    def _honours(self, newest: EventRecord) -> bool:
        """True when a search by serial number finds that number alone, and the higher ones are no older."""
        number = newest.serial_no
        if number is None:
            return False
        try:
            is_there = bool(self._whole_window(number, number).records)
            above = self._open_window(number + 1).records
        except SerialsIgnored:
            return False
        return is_there and not any(moment_of(record) < moment_of(newest) for record in above)

    def _lose_anchor(self) -> bool:
        """Begin the log anew, since its anchor is not there any more; at once, unless it was only just begun."""
        reason, state = self._why_lost(), self._log.state
        was_proved = state.begun is None or state.begun != self._log.complete_to
        state = replace(state, anchor=None, oldest=None, covered_from=None, look=None, overlap_at=None, empty=None)
        state = replace(
            state, lost=reason, marked=None, since=None if reason == OTHER_DEVICE else self._log.complete_to
        )
        self._save(anchor_serial=None, anchor_at=None, older_than=None, state=state)
        return was_proved

    def _why_lost(self) -> str:
        if self._device_serial() != self._log.device_serial:
            return OTHER_DEVICE
        if self._log.honours_serials:
            below, above = self._open_window(1, self._anchor).records, self._open_window(self._anchor).records
        else:
            records = self._first_page().records
            below = [record for record in records if serial_of(record) <= self._anchor]
            above = [record for record in records if serial_of(record) > self._anchor]
        return OVERWRITTEN if above and not below else NEW_LOG

    def _device_serial(self) -> str:
        return device.info(self._talk).serial[:128] or f"terminal {self._log.terminal_id}"

    # Backwards from the oldest record that was read.

    def _read_back(self, older: int) -> None:
        """Read a page of what is older than the record with this number."""
        first = max(1, older - self._limit + 1)
        records = self._whole_window(first, older).records
        oldest = self._log.state.oldest
        is_there = oldest is not None and any(one.serial_no == older and oldest.is_of(one) for one in records)
        if is_there and self._unproved == 1:
            self._unproved = 0  # It is of this log as well as the anchor.
        lower = [record for record in records if serial_of(record) < older]
        if is_there and not lower and first > 1:
            lower = self._nearest(1, first - 1, highest=True).records
        self._prove()
        lower.sort(key=serial_of)
        if not lower:
            with self._writing({"older_than": None, "state": self._with_beginning(older)}):
                self._cover_since_empty(older)
            return
        is_whole = self._counts(lower, serials=(serial_of(lower[0]), older - 1))
        if not is_whole and self._try_minors():
            return
        offsets = self._offsets_of_old(lower)
        lowest, at = lower[0], _corrected(lower[0], offsets[0])
        is_over = FIRST_PLAUSIBLE <= at < kept_since()
        state = replace(self._log.state, oldest=RecordTime.of(lowest))
        # Another one of the same second may be overwritten.
        since, covered = at + timedelta(seconds=ROUNDED_SECONDS + 1), state.covered_from
        if covered is not None and at >= FIRST_PLAUSIBLE and since < covered:
            state = replace(state, covered_from=since)
        with self._writing({"older_than": None if is_over else lowest.serial_no, "state": state}):
            self._store(lower, offsets, is_new=state.since is not None, which=OLD)
            if covered is not None and at >= FIRST_PLAUSIBLE:
                reason = "" if is_whole else NOT_TOLD
                coverage.extend(self._log.terminal_id, self._log.device_serial, since, covered, reason)

    def _cover_since_empty(self, first: int) -> None:
        """Write, in a transaction, that nothing is missing since the log was empty, if this is its first record."""
        log = self._log
        since, until = log.state.empty, log.state.covered_from
        if since is not None and until is not None and first == 1:
            coverage.extend(log.terminal_id, log.device_serial, since, until)

    def _with_beginning(self, first: int) -> LogState:
        """Return the state of a log whose first record was read. The first log says what is missing before it."""
        state = replace(self._log.state, oldest=None, since=None, empty=None)
        if state.covered_from is None:
            return state
        return replace(state, covered_from=None, begins=OVERWRITTEN if first > 1 else NEW_LOG)

    # By time, where the firmware ignores serial numbers.

    def _read_by_time(self) -> bool:
        """Read what is new by the terminal's clock, then a page of what is looked through."""
        log, began = self._log, now()
        earlier, offset = log.clock_offset or 0, self._clock_offset
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
            found = self._settled(partial(self._in_time, *ends))
            records += found.records
            more = more or found.more
            is_whole = is_whole and self._counts(found.records, times=self._window(*ends))
        if not is_whole and self._try_minors():
            return True
        self._prove()
        if overlaps:
            self._remember(overlap_at=began)
        missing = self._missing(records)
        if has_jumped and missing is None and not log.state.whole:
            missing = [NEVER_FOUND]
        if missing is None:
            self._keep(records, until=None if more else began, is_whole=is_whole)
        else:
            self._keep_with_holes(records, missing, began, CLOCK if has_jumped else NOT_READ)
        if not more and self._log.state.look is not None and not self._has_most(OLD):
            self._look_through(self._log.state.look)
        return more

    def _in_time(self, start: datetime, end: datetime) -> Found:
        """Return what the terminal recorded between two moments of its own clock."""
        window = self._window(start, end)
        found = self._every_page(MAX_PAGES, times=window)
        first, last = (moment.replace(microsecond=0) for moment in window)
        if any(not first <= moment_of(record) <= last for record in found.records if record.at):
            raise Nonsense(message="it ignores the times of a search")
        return found

    def _window(self, start: datetime, end: datetime) -> tuple[datetime, datetime]:
        """Return two moments in the offset of the terminal's clock, none of them earlier than it can be."""
        zone = self._zone
        earliest = FIRST_TIME.replace(tzinfo=zone)
        return max(start, earliest).astimezone(zone), max(end, earliest + DAY).astimezone(zone)

    def _missing(self, records: Collection[EventRecord]) -> list[int] | None:
        """Return the numbers that are missing between the anchor and the newest record; None when there are none."""
        newer = {serial for record in self._newer(records) if (serial := serial_of(record)) > self._anchor}
        if self._anchor < 0 or not newer or not self._log.state.whole or len(newer) == max(newer) - self._anchor:
            return None
        return [number for number in range(self._anchor + 1, max(newer)) if number not in newer][:MAX_MISSING]

    def _keep_with_holes(
        self, records: Collection[EventRecord], missing: list[int], until: datetime, reason: str
    ) -> None:
        """Store what is newer than the anchor, and look through the whole log for the numbers that are missing."""
        self._prove()
        log = self._log
        newer = self._newer(records)
        offsets, reached = self._offsets(newer, log.complete_to, is_end=True)
        values: dict[str, Any] = {"clock_offset": reached, "complete_to": until, "state": log.state}
        if newer and serial_of(newest := max(newer, key=serial_of)) > self._anchor:
            values |= self._anchored(newest)
        before = log.complete_to or until
        earlier = log.state.look or Look()
        wanted = (*(earlier.missing or ()), *missing)[:MAX_MISSING]
        look = Look(missing=wanted, gaps=(*earlier.gaps, (before, until)))
        values["state"] = replace(values["state"], look=look)
        with self._writing(values):
            self._store(newer, offsets, is_new=True)
            coverage.add_gap(log.terminal_id, log.device_serial, before, until, reason)

    def _look_through(self, look: Look) -> None:
        """Read one page of the whole log, from its newest record to its oldest."""
        log, code, at, turned = self._log, self._all_codes[look.code], look.at, look.turned
        if at is None:
            # Positions move while new records come. Looked through from the newest on, none is passed over.
            turned = _is_newest_first(self._search(code, newest_first=True).records)
            at = 0 if turned else self._length(code)
        if turned:
            page = self._search(code, position=at, newest_first=True)
            start, is_end = at + page.received, not page.more
        else:
            start = max(0, at - self._limit)
            page, is_end = self._search(code, position=start, limit=max(1, at - start)), start == 0
        self._prove()
        records = sorted(page.records, key=serial_of)
        look = replace(look, at=start, turned=turned)
        if look.missing is not None:
            found = {serial_of(record) for record in records}
            look = replace(look, missing=tuple(one for one in look.missing if one not in found))
        offsets = self._offsets_of_old(records)
        moments = [_corrected(record, offset) for record, offset in zip(records, offsets, strict=True)]
        if is_end or (look.missing is None and moments and FIRST_PLAUSIBLE <= max(moments) < kept_since()):
            look = replace(look, code=look.code + 1, at=None)
        values = {"state": replace(log.state, look=look)}
        with self._writing(values):
            self._store(records, offsets, is_new=log.state.since is not None, which=OLD)
            if look.code >= len(self._all_codes) or look.missing == ():
                for since, until in look.gaps if not look.missing else ():
                    coverage.close_gap(log.terminal_id, log.device_serial, since, until)
                values["state"] = self._state_after_look()

    def _state_after_look(self) -> LogState:
        """Return the state of a log that was looked through. If it is the first one, what was proved is covered."""
        log = self._log
        covered, state = (
            log.state.covered_from,
            replace(log.state, look=None, covered_from=None, since=None, empty=None),
        )
        if covered is None:
            return state
        stored = (Event.device_serial == log.device_serial, Event.serial_no <= self._anchor, Event.serial_no > 0)
        columns = (func.count(Event.serial_no.distinct()), func.min(Event.serial_no))
        count, first = db.session.execute(select(*columns).where(*stored)).one()
        if first is None or not self._is_told or (log.state.whole and count != self._anchor - first + 1):
            return state
        begins = select(Event.occurred_at).where(*stored, Event.serial_no == first).limit(1)
        at = db.session.execute(begins).scalar_one()
        if at >= FIRST_PLAUSIBLE:
            since = at + timedelta(seconds=ROUNDED_SECONDS + 1)
            coverage.extend(log.terminal_id, log.device_serial, since, covered)
        self._cover_since_empty(first)
        return replace(state, begins=OVERWRITTEN if first > 1 else NEW_LOG)

    # The clock.

    @property
    def _clock_offset(self) -> int:
        """By how many seconds the terminal's clock is ahead now."""
        offset = self._measure().get("clock_offset")
        if offset is None:
            return self._log.clock_offset or 0
        return 0 if abs(offset) <= ROUNDED_SECONDS else int(offset)

    def _measure(self) -> dict[str, Any]:
        """Return what the terminal tells of its clock, as the columns of its row; asked once in a conversation."""
        if self._measured is None:
            self._measured = usable_answer(lambda: clock.read(self._talk)) or {}
            self._talk.pending_updates |= self._measured
        return self._measured

    @property
    def _clock(self) -> Mapping[str, Any]:
        """What is known of the terminal's zone, as the columns of its row."""
        terminal = self._talk.terminal
        return self._measured or {"zone": terminal.zone, "clock_doubt": terminal.clock_doubt}

    @property
    def _zone_there(self) -> tzinfo | None:
        """The zone of the terminal's clock, as far as it tells."""
        return system_time.zone(self._clock["zone"])

    @property
    def _zone(self) -> tzinfo:
        """The same, or the present offset of ours where it does not."""
        return self._zone_there or timezone(local(now()).utcoffset() or timedelta())

    def _is_marked(self, record: EventRecord) -> bool:
        """True when the time of a record is marked as UTC, which it is not."""
        zone = self._zone_there
        if zone is None or not events.is_marked_as_utc(record.time, self._z_is_local):
            return False
        return bool(now().astimezone(zone).utcoffset())

    @property
    def _z_is_local(self) -> bool:
        """True where the terminal marks the local time of its clock as UTC, and so that of its records."""
        return bool(self._clock.get("clock_doubt") == clock.MARKED)

    def _offsets(
        self, records: Sequence[EventRecord], since: datetime | None, *, is_end: bool
    ) -> tuple[list[int], int]:
        """Return for each of some new records, in order, by how much the clock was ahead then, and after the last one.

        :param since: all were recorded after this moment, where that is known. :param is_end: the last one is the
            newest of the log.
        """
        earlier = self._log.clock_offset
        if not records and self._measured is None:
            return [], earlier or 0
        ahead, latest = self._clock_offset, now()
        jumped = 0
        if earlier is not None and abs(ahead - earlier) > STEADY_SECONDS:
            jumped = self._jump(records, ahead - earlier, is_end=is_end)
        offsets = [earlier or 0] * jumped + [ahead] * (len(records) - jumped)
        reached = ahead if is_end or jumped < len(records) else [earlier or 0, *offsets][-1]
        return [_bounded(record, one, since, latest) for record, one in zip(records, offsets, strict=True)], reached

    def _offsets_of_old(self, records: Sequence[EventRecord]) -> list[int]:
        """Return the same for records from before the log was first read: as far as is known, as it was then."""
        state, latest = self._log.state, now()
        offset = state.ahead if state.ahead is not None else self._log.clock_offset or 0
        return [_bounded(record, offset, state.since, latest) for record in records]

    def _jump(self, records: Sequence[EventRecord], seconds: int, *, is_end: bool) -> int:
        """Return how many of the records were made before the clock jumped by so many seconds: where times leap."""
        shown = [moment_of(record) for record in records]
        if self._log.anchor_at is not None:
            shown.insert(0, self._log.anchor_at)
        if is_end:
            shown.append(now() + timedelta(seconds=self._clock_offset))
        steps = [(later - before).total_seconds() for before, later in pairwise(shown)]
        if not steps:
            return 0
        step = max(steps) if seconds > 0 else min(steps)
        leaps = step >= seconds - STEADY_SECONDS if seconds > 0 else step < -STEADY_SECONDS
        if not leaps and not is_end:
            return len(records)
        return min(steps.index(step) + (self._log.anchor_at is None), len(records))

    # What is written.

    def _remember(self, **changes: Any) -> None:
        """Change the state of the log. It is written with what is written next."""
        self._log = replace(self._log, state=replace(self._log.state, **changes))

    def _save(self, **values: Any) -> None:
        with self._writing(values):
            pass

    @contextmanager
    def _writing(self, values: Mapping[str, Any]) -> Iterator[None]:
        """Write to the log's row in one transaction with what is done in the block, while the terminal is ours.

        :raises passages_off: when they were switched off. Whoever deletes them all then waits for this transaction.
        """
        log = self._log
        with self._talk.lease.write():
            stored_settings.read_within()
            switch.require_on()
            yield
            state = replace(values.get("state", log.state), today=self._today)
            state = replace(state, marked=True) if self._marks_utc else state
            values = {"page_limit": log.page_limit, **values, "state": state.written()}
            row = update(EventLog).where(EventLog.terminal_id == log.terminal_id)
            changed_rows(row.values(**values, read_at=database_now(), error_code=""))
        self._log = replace(log, **{**values, "state": state})

    def _store(self, records: Sequence[EventRecord], offsets: Sequence[int], *, is_new: bool, which: str = NEW) -> None:
        """Store records in their order; those of the same offset together."""
        start = 0
        for end in range(1, len(records) + 1):
            if end == len(records) or offsets[end] != offsets[start]:
                log = self._log
                ids = store(log.terminal_id, log.device_serial, records[start:end], offsets[start], is_new=is_new)
                self._today = replace(self._today, **{which: getattr(self._today, which) + len(ids)})
                start = end


def now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


@contextmanager
def _serials_are_taken() -> Iterator[None]:
    """Tell a refusal of serial numbers from other refusals.

    :raises SerialsIgnored: then.
    """
    try:
        yield
    except Refused as error:
        if error.retryable:
            raise
        raise SerialsIgnored from error


def _is_newest_first(records: Sequence[EventRecord]) -> bool:
    return len(records) > 1 and _in_time(records[0]) > _in_time(records[-1])


def _in_time(record: EventRecord) -> tuple[datetime, int]:
    return moment_of(record), serial_of(record)


def _corrected(record: EventRecord, offset: int) -> datetime:
    return moment_of(record) - timedelta(seconds=offset)


def _bounded(record: EventRecord, offset: int, since: datetime | None, latest: datetime) -> int:
    """Return the offset that puts a record between two moments; one of an unknown clock is put at the nearer one."""
    slack = timedelta(seconds=STEADY_SECONDS)
    at = _corrected(record, offset)
    if at > latest + slack:
        return round((moment_of(record) - latest).total_seconds())
    if since is not None and at < since - slack:
        return round((moment_of(record) - since).total_seconds())
    return offset
