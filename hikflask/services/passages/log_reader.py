"""What both readers of a log do: they prove that what was read is of this log, and store what is newer than the anchor.

The anchor is the newest record that was read. While it is in the log with its time, the log goes on.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from hikflask.isapi.events import EventRecord
from hikflask.models.event import NEW_LOG, NOT_TOLD, OVERWRITTEN
from hikflask.services.passages.interpretation import moment_of
from hikflask.services.passages.log_search import LogSearch
from hikflask.services.passages.log_state import LogState
from hikflask.services.passages.store import known_keys, serial_of

# After it some firmware begins again at 1, as the vendor's guide says of all; some after another number.
LAST_SERIAL = 100_000
# So far apart are the numbers of records before and after that, at least; and so far that the higher is the older.
FAR, VERY_FAR = 500, LAST_SERIAL // 2


class AnchorLost(Exception):
    """The anchor is not in the log any more."""


class LogReader(ABC):
    """Reads a log on from its anchor, and its past."""

    def __init__(self, search: LogSearch) -> None:
        self._search, self._log, self._clock = search, search.log, search.clock

    @abstractmethod
    def read(self) -> bool:
        """Read on; return True when more is left for another conversation at once.

        :raises AnchorLost: :raises SerialsIgnored:
        """

    @abstractmethod
    def around_anchor(self) -> tuple[list[EventRecord], list[EventRecord]]:
        """Return some of the records up to the number of the anchor, and some of those from it on."""

    @abstractmethod
    def _at_anchor(self) -> list[EventRecord]:
        """Return what the terminal has where the anchor should be."""

    def _prove(self) -> None:
        """Make sure that all that was read is of this log, before it is stored.

        :raises AnchorLost: when it may be of another one.
        """
        if not self._search.unproved:
            return
        if not self._log.has_anchor(self._at_anchor()):
            raise AnchorLost
        self._search.unproved = 0

    def _keep(self, records: Collection[EventRecord], *, until: datetime | None = None, is_whole: bool = True) -> None:
        """Store what is newer than the anchor, and move the anchor to the newest.

        :param until: the moment up to which everything is here then, when the log's end was read.
        :param is_whole: the terminal has no other records of that time.
        """
        self._prove()
        log = self._log
        newer, before = self._newer(records), log.complete_to
        offsets, reached = self._clock.offsets(newer, before, is_end=until is not None)
        values: dict[str, Any] = self._anchored(newer)
        if self._clock.is_measured:
            values["clock_offset"] = reached
        is_whole = is_whole and not log.state.unsure
        unsure = None if is_whole or until is not None else True
        values["state"] = replace(values.get("state", log.state), unsure=unsure)
        if until is not None and before is not None:
            values["complete_to"] = until = max(until, before)
        with log.writing(values):
            log.store(newer, offsets, is_new=True)
            if until is not None and before is not None:
                log.cover(before, until, "" if is_whole else NOT_TOLD)

    def _newer(self, records: Collection[EventRecord]) -> list[EventRecord]:
        """Return the records that are newer than the anchor, in order."""
        return sorted((record for record in records if serial_of(record) > self._log.anchor), key=serial_of)

    def _anchored(self, newer: Collection[EventRecord]) -> dict[str, Any]:
        """Return the columns that make the newest of these the anchor."""
        newest = max(newer, key=serial_of, default=None)
        return {} if newest is None or serial_of(newest) <= self._log.anchor else self._log.anchored(newest)

    def _begun_again(self, records: Collection[EventRecord], last: int, at: datetime) -> list[EventRecord]:
        """Return the records that are not here yet whose numbers began again at 1 after this last one."""
        later = [one for one in records if last - serial_of(one) > FAR and moment_of(one) >= at]
        known = known_keys(self._log.device_serial, [serial_of(record) for record in later])
        unknown = [record for record in later if (serial_of(record), moment_of(record)) not in known]
        return sorted(unknown, key=serial_of)

    def _with_beginning(self, first: int | None) -> LogState:
        """Return the state of a log whose past was read. The first log says what is missing before its first record."""
        state = replace(self._log.state, oldest=None, look=None, since=None, empty=None, covered_from=None)
        if first is None or self._log.state.covered_from is None:
            return state
        return replace(state, begins=OVERWRITTEN if first > 1 else NEW_LOG)
