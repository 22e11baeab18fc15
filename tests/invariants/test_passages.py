"""Whatever happens to a terminal, its log, its clock and the worker: nothing is lost unseen, and nothing is doubled.

`PASSAGES_EXAMPLES=10000 python -m pytest tests/invariants/test_passages.py -k sqlite` tries so many histories.
"""

import dataclasses
import os
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete, select, update

from hikflask.extensions import db
from hikflask.models import Event, EventCoverage, EventLog, Terminal
from hikflask.owned_session import OwnedSession
from hikflask.services.core.db import transaction
from hikflask.services.passages import intake, interpretation
from hikflask.simulator import SEED, SkippingClock
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.terminal.event_log import CAPACITY, Record
from tests.conftest import HOST, PASSWORD
from tests.invariants.conftest import PROFILE
from tests.support.events import spans_of
from tests.support.wire import InProcess
from tests.support.worlds import BEGAN, NOW, Killed, live_in_own_time, stored_events

EXAMPLES = int(os.environ.get("PASSAGES_EXAMPLES", "0"))
SEARCH = "AccessControl/AcsEvent"
CODES = ((5, 75), (5, 76), (5, 21), (1, 1030), (2, 39), (3, 1024))
# By how much a clock is ahead: not at all, a zone that was never set, a little, behind, and reset to 1970.
AHEAD = (0, 5 * 3600 + 7, 92, -3 * 3600 - 11, -round((BEGAN - datetime(1970, 1, 3, tzinfo=UTC)).total_seconds()))
ZONES = ("CST-3:00:00", "CST-8:00:00")
DEVICES = ("0000001", "0000002")
# As such a device tells its serial number.
SERIAL = "DS-K1T343EFWX20230901V030315ENFH"
Key = tuple[str, int, datetime]


def key_of(device: Simulated, record: Record) -> Key:
    return SERIAL + device.serial, record.serial_no, record.at.astimezone(UTC)


class History(RuleBasedStateMachine):
    """Any order of events; after each one everything that is missing lies in a gap that is shown."""

    def __init__(self, app: Flask, wire: InProcess, terminal_id: int) -> None:
        super().__init__()
        self.app, self.wire, self.terminal_id = app, wire, terminal_id
        NOW.moment = BEGAN
        with transaction():
            for table in (Event, EventCoverage, EventLog):
                db.session.execute(delete(table))
        app.config["PASSAGES"] = "poll"
        wire.away.clear()
        # When each record was made; None: while the device was elsewhere, or nobody knew yet that it is here.
        self.made: dict[Key, datetime | None] = {}
        self.unknown: dict[Key, datetime] = {}
        self.known_device = ""
        self.devices = [self._device(serial) for serial in DEVICES]
        self.random, self.was_read = random.Random(0), False  # noqa: S311

    def _device(self, serial: str) -> Simulated:
        profile = dataclasses.replace(SEED, refuse_after_success=0)
        device = Simulated(PASSWORD, clock=SkippingClock(), profile=profile, serial=serial)
        device.wall_clock.zone = ZONES[0]
        device.wall_clock.real_time = lambda: NOW.moment
        return device

    @property
    def device(self) -> Simulated:
        return self.devices[0]

    # What happens at the terminal.

    @initialize(
        page=st.sampled_from([4, 5, 10, 30]),
        ring=st.sampled_from([12, 40, 1000]),
        traps=st.fixed_dictionaries(
            {name: st.booleans() for name in ("keeps_searches", "ignores_reverse", "leaves_status_out")}
        ),
        ignores=st.sampled_from([False, False, True]),
        one_by_one=st.sampled_from([False, False, False, True]),
        empty=st.sampled_from(["left out", "zeros", "null"]),
        begun=st.integers(0, 60),
        last=st.sampled_from([3_000_000_000, 3_000_000_000, 1050]),
    )
    def begin(
        self,
        page: int,
        ring: int,
        traps: dict[str, bool],
        ignores: bool,
        one_by_one: bool,
        empty: str,
        begun: int,
        last: int,
    ) -> None:
        """Devices of some firmware, with a log already."""
        for device in self.devices:
            device.events.set_traps(
                page_limit=page, ignores_serials=ignores, refuses_major_0=one_by_one, empty_fields=empty, **traps
            )
            device.events.set_traps(max_serial=last)
            device.events.set_ring(ring)
            device.events.next_serial = 1 if last > CAPACITY else last - begun
            self.use(device, begun)
        self.connect()

    def connect(self) -> None:
        self.wire.put(HOST, self.device)

    def use(self, device: Simulated, count: int, seconds: float = 2) -> None:
        """Let things happen at a device."""
        for _ in range(count):
            NOW.advance(seconds)
            major, minor = self.random.choice(CODES)
            number = str(self.random.randrange(100, 120)) if minor == 75 else ""
            record = device.events.add(major, minor, number)
            assert record is not None
            key = key_of(device, record)
            is_known = device is self.device and self.known_device in {"", key[0]}
            self.made[key] = NOW.moment if is_known else None
            if device is self.device and not is_known:
                self.unknown[key] = NOW.moment

    @rule(count=st.integers(1, 45), seconds=st.sampled_from([0.2, 2, 2, 40, 900]))
    def somebody_passes(self, count: int, seconds: float) -> None:
        self.use(self.device, count, seconds)

    @rule(seconds=st.sampled_from([30, 700, 4000, 90_000]))
    def time_passes(self, seconds: int) -> None:
        NOW.advance(seconds)

    @rule(count=st.integers(0, 2))
    def log_begins_anew(self, count: int) -> None:
        self.device.events.reset()
        self.use(self.device, count)

    @rule(count=st.sampled_from([1, 7, 2000]))
    def numbers_are_left_out(self, count: int) -> None:
        if self.device.events.traps.max_serial > CAPACITY:
            self.device.events.next_serial += count

    @rule(capacity=st.sampled_from([8, 25, 60]))
    def ring_is_small(self, capacity: int) -> None:
        self.device.events.set_ring(capacity)

    @rule(ahead=st.sampled_from(AHEAD), zone=st.sampled_from(ZONES))
    def clock_jumps(self, ahead: int, zone: str) -> None:
        """Of a jump before the log was read nobody knows."""
        if not self.was_read:
            return
        self.device.wall_clock.drift, self.device.wall_clock.zone = timedelta(seconds=ahead), zone

    @rule()
    def another_device_is_put_there(self) -> None:
        """Of one that was there before the log was first read nobody knows."""
        if self.was_read:
            self.devices.reverse()
            self.connect()

    @rule(ignores=st.booleans())
    def firmware_changes(self, ignores: bool) -> None:
        self.device.events.set_traps(ignores_serials=ignores)

    @rule(off=st.booleans())
    def network_fails(self, off: bool) -> None:
        (self.wire.away.add if off else self.wire.away.discard)(HOST)

    @rule(on=st.booleans())
    def passages_are_switched(self, on: bool) -> None:
        self.app.config["PASSAGES"] = "poll" if on else "off"

    # What the app does.

    @rule(times=st.integers(1, 12))
    def log_is_read(self, times: int) -> None:
        for _ in range(times):
            NOW.advance(1)
            self.read()

    @rule(
        nth=st.integers(0, 12),
        moment=st.sampled_from(["before", "after"]),
        what=st.sampled_from(["kill", "lost", "reset", "pass", "clock", "swap", "off"]),
        times=st.integers(1, 4),
    )
    def something_happens_between(self, nth: int, moment: str, what: str, times: int) -> None:
        """While the log is read."""
        strike = self._once(nth, self._striking(what))
        for device in self.devices:
            (device.before if moment == "before" else device.after)(SEARCH, strike)
            (device.before if moment == "before" else device.after)("System/deviceInfo", strike)
        for _ in range(times):
            self.read()
        for device in self.devices:
            device.clear_hooks()

    @rule(nth=st.integers(0, 6), is_done=st.booleans(), times=st.integers(1, 3))
    def worker_is_killed_at_a_commit(self, nth: int, is_done: bool, times: int) -> None:
        """Before it or after it."""
        end, count = OwnedSession.end_work, iter(range(1_000_000))

        def end_and_die(session: OwnedSession, *, commit: bool) -> None:
            dies = commit and next(count) == nth
            end(session, commit=commit and (is_done or not dies))
            if dies:
                raise Killed

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(OwnedSession, "end_work", end_and_die)
            for _ in range(times):
                self.read()

    @rule(kind=st.sampled_from(["lost-before", "lost-after"]), times=st.integers(1, 2))
    def connection_is_lost(self, kind: str, times: int) -> None:
        self.device.faults.add(kind, path=SEARCH, times=times)

    def _striking(self, what: str) -> Callable[[], object]:
        return {
            "kill": self._kill,
            "lost": lambda: self.device.faults.add("lost-after", path=SEARCH, times=1),
            "reset": lambda: self.log_begins_anew(1),
            "pass": lambda: self.use(self.device, 7),
            "clock": lambda: self.clock_jumps(AHEAD[1], ZONES[1]),
            "swap": self.another_device_is_put_there,
            "off": lambda: self.wire.away.add(HOST),
        }[what]

    def _kill(self) -> None:
        raise Killed

    def _once(self, nth: int, strike: Callable[[], object]) -> Callable[[], None]:
        count = iter(range(1_000_000))

        def at_its_time() -> None:
            if next(count) == nth:
                strike()

        return at_its_time

    def read(self) -> bool:
        """Let a worker that may be killed read on; return True when nothing is left to be read."""
        try:
            intake.claim_due()
            has_more = intake.read_log(self.terminal_id, "test")
        except Killed:
            db.session.remove()
            self.app.extensions["terminal_clients"].close()
            return False
        finally:
            with db.engine.begin() as connection:
                connection.execute(update(Terminal).values(lease_until=None, backoff_until=None))
        columns = (EventLog.older_than, EventLog.state, EventLog.complete_to, EventLog.device_serial)
        row = db.session.execute(select(*columns)).first()
        self.was_read = row is not None and row.complete_to is not None
        self.known_device = row.device_serial if row else ""
        for key in [key for key in self.unknown if key[0] == self.known_device]:
            self.made[key] = self.unknown.pop(key)
        if has_more or row is None or row.older_than is not None:
            return False
        return not {"pass", "lost"} & row.state.keys()

    # What is promised.

    @invariant()
    def nothing_is_missing_unseen(self) -> None:
        keys = {(event.device_serial, event.serial_no, event.device_at) for event in stored_events()}
        assert keys <= self.made.keys()
        spans = spans_of(self.terminal_id, NOW.moment)
        for key in self.made.keys() - keys:
            at = self.made[key]
            if at is not None:
                assert not any(span.is_complete and span.from_at <= at < span.to_at for span in spans), (
                    key,
                    at,
                    spans,
                )

    def teardown(self) -> None:
        """When all is well again, and once more something happens, everything that a log still has is here, once."""
        self.app.config["PASSAGES"] = "poll"
        self.wire.away.clear()
        for device in self.devices:
            device.faults.clear()
        NOW.advance(3)
        self.use(self.device, 1)
        for _ in range(400):
            NOW.advance(1)
            if self.read():
                break
        NOW.advance(1)
        self.read()
        events = stored_events()
        keys = [(event.device_serial, event.serial_no, event.device_at) for event in events]
        assert len(keys) == len({*keys})
        in_ring = {key_of(self.device, record) for record in self.device.events.records}
        assert in_ring <= {*keys}, sorted(in_ring - {*keys})
        error = db.session.execute(select(EventLog.error_code)).scalar_one()
        assert error == ""
        self.nothing_is_missing_unseen()
        assert interpretation.interpret_again() == 0


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"PASSAGES": "poll", "PASSAGES_KEEP": 3000, "FACE_DETECTION": "off", "LEASE_WAIT": 0.001}


@pytest.fixture
def in_no_time() -> Iterator[None]:
    """The modules that read the time read the one of this world."""
    with pytest.MonkeyPatch.context() as patch:
        live_in_own_time(patch)
        yield


@pytest.mark.long
@pytest.mark.both_databases
@pytest.mark.usefixtures("in_no_time", "context")
def test_nothing_is_lost_unseen_and_nothing_is_doubled(
    app: Flask, wire: InProcess, terminal: Terminal, database: dict[str, str]
) -> None:
    examples = EXAMPLES or (5 if database else 20)
    profile = hypothesis_settings(hypothesis_settings.get_profile(PROFILE), max_examples=examples, derandomize=True)
    if EXAMPLES:
        profile = hypothesis_settings(profile, phases=[Phase.generate], report_multiple_bugs=False, derandomize=False)
    run_state_machine_as_test(lambda: History(app, wire, terminal.id), settings=profile)  # type: ignore[arg-type]
