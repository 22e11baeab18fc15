"""Reads the log of one terminal in one conversation, so that nothing is lost, and what may be missing is known.

The anchor is the newest record that was read. When it is not in the log any more, the log began anew, or overwrote what
was not read yet, or is another device's. Then there is a gap, and the log is read from its newest record on, and
backwards to its first one: by number where the firmware selects by serial numbers, by time where it ignores them.
"""

from dataclasses import replace
from datetime import datetime

from hikflask.isapi import device
from hikflask.isapi.events import EventRecord
from hikflask.models.event import NEW_LOG, OTHER_DEVICE, OVERWRITTEN
from hikflask.services.passages import coverage
from hikflask.services.passages.log_by_number import ByNumber, SerialsIgnored
from hikflask.services.passages.log_by_time import ByTime
from hikflask.services.passages.log_clock import LogClock, bounded, now
from hikflask.services.passages.log_reader import LAST_SERIAL, VERY_FAR, AnchorLost, LogReader
from hikflask.services.passages.log_row import NEW, OLD, LogRow
from hikflask.services.passages.log_search import LogSearch, in_time
from hikflask.services.passages.log_state import Look, RecordTime
from hikflask.services.passages.store import serial_of
from hikflask.services.terminals.connection import Conversation


class Reading:
    """What is read of one log within one conversation."""

    def __init__(self, conversation: Conversation) -> None:
        self._talk, self._log = conversation, LogRow(conversation)
        self._clock = LogClock(conversation, self._log)
        self._search = LogSearch(conversation, self._log, self._clock)
        self._by_number = ByNumber(self._search)

    @property
    def has_older(self) -> bool:
        """True while older records are still to be read today."""
        has_more = self._log.older_than is not None or self._log.state.look is not None
        return has_more and not self._log.has_most(OLD) and not self._log.state.halted

    def read(self) -> bool:
        """Read on; return True when more is left for another conversation at once. What was read stays.
        :raises TerminalError: :raises LeaseLost:
        """
        log = self._log
        if log.codes is None:
            self._search.learn()
        if self._clock.zone_there is None:
            self._clock.measure()  # Times that are marked as UTC are of its zone.
        if log.anchor_serial is None:
            return self._begin()
        reader = self._by_number if log.honours_serials else ByTime(self._search)
        try:
            try:
                return self._go_on(reader)
            except AnchorLost:
                return self._lose_anchor(reader)
        except SerialsIgnored:
            look = log.state.look if log.older_than is None else Look()
            log.save(honours_serials=False, older_than=None, state=replace(log.state, oldest=None, look=look))
            return True

    def _go_on(self, reader: LogReader) -> bool:
        if self._log.has_most(NEW):
            self._log.save(state=replace(self._log.state, halted=True))
            return False
        self._log.remember(halted=None)
        return reader.read()

    def _begin(self) -> bool:
        """Take the newest record of a log as the anchor. Return True when that is done."""
        log = self._log
        serial, began = self._device_serial(), now()
        newest = self._newest()
        if newest is None:
            self._keep_empty(serial, began)
            return False
        began, was_empty = now(), log.state.empty is not None and serial == log.device_serial
        honours = self._by_number.honours(newest)
        offset = self._clock.offset
        if self._device_serial() != serial:
            return True
        gap, reason, at = None if was_empty else log.complete_to, self._why_not(serial), RecordTime.of(newest)
        state = replace(log.state, lost=None, anchor=at, ahead=offset, looked_at=began, begun=began)
        state = replace(state, oldest=at if honours else None, look=None if honours else Look())
        empty, covered_from = state.empty if was_empty else None, began if gap is None else None
        values = {
            **log.anchored(newest),
            "device_serial": serial,
            "honours_serials": honours,
            "older_than": newest.serial_no if honours else None,
            "complete_to": began,
            "clock_offset": offset,
            "state": replace(state, empty=empty, covered_from=covered_from),
        }
        log.device_serial = serial
        with log.writing(values):
            log.store([newest], [bounded(newest, offset, state.since, began)], is_new=gap is not None or was_empty)
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
        if not self._search.counts([]):
            log.save(device_serial=serial)
            return
        before, state = log.complete_to, replace(log.state, lost=None, since=until, empty=until, begins=NEW_LOG)
        is_same = log.state.empty is not None and serial == log.device_serial
        with log.writing({"device_serial": serial, "complete_to": until, "state": state}):
            if before is not None and is_same:
                coverage.extend(log.terminal_id, serial, before, until)
            elif before is not None:
                coverage.add_gap(log.terminal_id, serial, before, until, self._why_not(serial))

    def _newest(self) -> EventRecord | None:
        """Return the record with the highest number among those at the end of the log, where they begin again at 1."""
        records = [record for code in self._search.codes for record in self._search.tail(code)]
        if not records:
            return None
        latest, highest = max(records, key=in_time), max(records, key=serial_of)
        if VERY_FAR < serial_of(highest) - serial_of(latest) < LAST_SERIAL:
            return max((one for one in records if serial_of(one) <= VERY_FAR), key=serial_of)
        return highest

    def _lose_anchor(self, reader: LogReader) -> bool:
        """Begin the log anew, since its anchor is not there any more; at once, unless it was only just begun."""
        log = self._log
        if self._device_serial() != log.device_serial:
            reason = OTHER_DEVICE
        else:
            below, above = reader.around_anchor()
            reason = OVERWRITTEN if above and not below else NEW_LOG
        was_proved = log.state.begun is None or log.state.begun != log.complete_to
        state = replace(log.state, anchor=None, oldest=None, covered_from=None, look=None, overlap_at=None, empty=None)
        state = replace(state, lost=reason, marked=None, since=None if reason == OTHER_DEVICE else log.complete_to)
        log.save(anchor_serial=None, anchor_at=None, older_than=None, state=state)
        return was_proved

    def _device_serial(self) -> str:
        return device.info(self._talk).serial[:128] or f"terminal {self._log.terminal_id}"
