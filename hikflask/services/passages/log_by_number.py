"""Reads a log by the serial numbers of its records: from the anchor on, and backwards to its first one.

A window of serial numbers begins at the anchor, so each answer proves by itself that the log goes on: while the anchor
is there with its time, all that was recorded since has a higher number. Where more than a page follows, windows are as
narrow as a page, so that nothing shifts under the reader.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from hikflask.isapi.errors import Nonsense, Refused
from hikflask.isapi.events import EventRecord
from hikflask.models.event import NOT_TOLD
from hikflask.services.passages.interpretation import moment_of
from hikflask.services.passages.log_clock import AFTER_IT, corrected, now
from hikflask.services.passages.log_reader import LAST_SERIAL, AnchorLost, LogReader
from hikflask.services.passages.log_row import OLD
from hikflask.services.passages.log_search import LAST, Found
from hikflask.services.passages.log_state import Look, RecordTime
from hikflask.services.passages.retention import FIRST_PLAUSIBLE, kept_since
from hikflask.services.passages.store import serial_of

# So often it is looked whether numbers began again.
LOOK_SECONDS = 600.0


class SerialsIgnored(Exception):
    """The firmware does not select by serial numbers."""


class ByNumber(LogReader):
    """The reader for firmware that selects by serial numbers."""

    def read(self) -> bool:
        """Read on from the anchor, then a page of what is older.

        :raises SerialsIgnored: when the firmware does not select by them, or they began again at 1.
        """
        if self._read_on():
            return True
        if self._log.older_than is not None and not self._log.has_most(OLD):
            self._read_back(self._log.older_than)
        return False

    def honours(self, newest: EventRecord) -> bool:
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

    def around_anchor(self) -> tuple[list[EventRecord], list[EventRecord]]:
        """Return some of the records up to the number of the anchor, and some of those from it on."""
        return self._open_window(1, self._log.anchor).records, self._open_window(self._log.anchor).records

    def _at_anchor(self) -> list[EventRecord]:
        return self._open_window(self._log.anchor, self._log.anchor).records

    def _open_window(self, first: int, last: int = LAST) -> Found:
        """Return the first page of the records with these serial numbers."""
        with _serials_are_taken():
            return _checked(self._search.first_page(serials=(first, last)), first, last)

    def _whole_window(self, first: int, last: int) -> Found:
        """Return all records with these serial numbers, no more than a page or two."""
        most = last - first + 1
        with _serials_are_taken():
            found = self._search.first_page(serials=(first, last))
            if found.more and len({record.serial_no for record in found.records}) < most:
                found = self._search.every_page(most, serials=(first, last))
        return _checked(found, first, last)

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

    def _read_on(self) -> bool:
        while True:
            began, anchor = now(), self._log.anchor
            found = self._search.settled(partial(self._open_window, anchor))
            if not (found.more or self._log.has_anchor(found.records)):
                raise AnchorLost
            # Where the newest come first, or the clock was set back, the anchor is on a later page.
            self._prove()
            if not found.more:
                self._look_below(found.records)
                is_whole = self._search.counts(found.records, serials=(anchor, LAST))
                if not is_whole and self._search.try_minors():
                    return True
                self._keep(found.records, until=began, is_whole=is_whole)
                return False
            numbers = {serial_of(record) for record in found.records}
            if numbers == {*range(anchor, anchor + len(numbers))}:
                self._keep(found.records)  # Whatever the order of the log, there is nothing between them.
            if not self._catch_up():
                return True
            if self._log.anchor == anchor:
                raise Nonsense(message="more events follow, but none came")

    def _catch_up(self) -> bool:
        """Read windows that are as narrow as a page; return True when the end is near, False when the time is over."""
        while not self._search.is_time_over:
            first, limit = self._log.anchor, self._search.limit
            records = self._search.settled(partial(self._whole_window, first, first + limit - 1)).records
            if not self._log.has_anchor(records):
                raise AnchorLost
            if len(records) == 1:
                records = self._search.settled(partial(self._nearest, first + limit, LAST)).records  # Beyond a hole.
                if not records:
                    return True
            newer = [record for record in records if serial_of(record) > first]
            self._keep(records, is_whole=self._search.counts(newer, serials=(first + 1, max(map(serial_of, newer)))))
            if len(records) < limit:
                return True
        return False

    def _look_below(self, records: Collection[EventRecord]) -> None:
        """Now and then, look whether the numbers began again at 1, which no window that begins at the anchor shows.

        :raises SerialsIgnored: when they did; time tells their order still.
        """
        looked_at, began = self._log.state.looked_at, now()
        newest = max(records, key=serial_of)
        is_early = looked_at is not None and (began - looked_at).total_seconds() < LOOK_SECONDS
        if newest.serial_no != LAST_SERIAL and (is_early or self._log.older_than is not None):
            return
        first = self._open_window(1, self._search.limit).records
        self._prove()
        if self._begun_again(first, serial_of(newest), moment_of(newest)):
            self._log.remember(look=Look())
            raise SerialsIgnored
        self._log.remember(looked_at=began)

    def _read_back(self, older: int) -> None:
        """Read a page of what is older than the record with this number."""
        log, first, oldest = self._log, max(1, older - self._search.limit + 1), self._log.state.oldest
        records = self._whole_window(first, older).records
        is_there = oldest is not None and any(one.serial_no == older and oldest.is_of(one) for one in records)
        if is_there and self._search.unproved == 1:
            self._search.unproved = 0  # It is of this log as well as the anchor.
        lower = [record for record in records if serial_of(record) < older]
        if is_there and not lower and first > 1:
            lower = self._nearest(1, first - 1, highest=True).records
        self._prove()
        lower.sort(key=serial_of)
        if not lower:
            with log.writing({"older_than": None, "state": self._with_beginning(older)}):
                log.cover_since_empty(older)
            return
        is_whole = self._search.counts(lower, serials=(serial_of(lower[0]), older - 1))
        if not is_whole and self._search.try_minors():
            return
        offsets = self._clock.offsets_of_old(lower)
        lowest, at = lower[0], corrected(lower[0], offsets[0])
        is_over = FIRST_PLAUSIBLE <= at < kept_since()
        state, since = replace(log.state, oldest=RecordTime.of(lowest)), at + AFTER_IT
        # One of an unknown clock, which was put at a moment, tells nothing of that moment.
        covered = state.covered_from if at >= FIRST_PLAUSIBLE and offsets[0] == self._clock.offset_of_old else None
        if covered is not None:
            state = replace(state, covered_from=min(since, covered))
        with log.writing({"older_than": None if is_over else lowest.serial_no, "state": state}):
            log.store(lower, offsets, is_new=state.since is not None, which=OLD)
            if covered is not None:
                log.cover(since, covered, "" if is_whole else NOT_TOLD)


@contextmanager
def _serials_are_taken() -> Iterator[None]:
    """Tell a refusal of serial numbers from other refusals. :raises SerialsIgnored: then."""
    try:
        yield
    except Refused as error:
        if error.retryable:
            raise
        raise SerialsIgnored from error


def _checked(found: Found, first: int, last: int) -> Found:
    if any(record.serial_no is None or not first <= record.serial_no <= last for record in found.records):
        raise SerialsIgnored
    return found
