"""The log of a terminal that was written from the facts alone: nothing is lost unseen, doubled or misread.

`FACTS_HISTORIES=20 python -m pytest tests/scenarios/test_events_of_the_facts.py` tries so many histories of each model.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from flask import Flask
from requests import PreparedRequest
from sqlalchemy import select, update

from hikflask.background import tasks
from hikflask.extensions import db, task_queue
from hikflask.models import Event, EventLog, Terminal
from hikflask.services.core.db import transaction
from hikflask.services.passages import coverage, intake, interpretation, log_search
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from tests.scenarios.terminal_of_the_facts import FIRMWARES, PASSWORD, FactsTerminal, FactsWire, Written
from tests.support.events import spans_of
from tests.support.worlds import BEGAN, NOW, Killed, live_in_own_time, stored_events

HISTORIES = int(os.environ.get("FACTS_HISTORIES", "1"))
STEPS = 12
HOST = "facts.test"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FIRST_SERIALS = {"K1T342E": 30_000, "wraps": 99_950, "wraps, by times": 99_950}
CLOCKS = ((3, 0), (3, 92), (8, 0), (8, -5 * 3600 - 61), (3, -1000), (5.5, 3))
KINDS = {
    (5, 75): "passed",
    (5, 1): "passed",
    (5, 38): "passed",
    (5, 76): "unknown_person",
    (5, 9): "unknown_person",
    (5, 39): "unknown_person",
    (5, 6): "no_permission",
    (5, 7): "outside_hours",
    (5, 8): "expired",
    (5, 104): "liveness",
    (5, 179): "passed",  # In no list of capabilities.
    (5, 21): "door",
    (5, 22): "door",
    (5, 23): "exit_button",
    (1, 1030): "alarm",
    (2, 39): "trouble",
    (3, 1024): "operation",
    (3, 113): "operation",
}
OF_PEOPLE = {75, 1, 38, 6, 7, 8}
PEOPLE = {"100222": "Иванов Иван", "001": "Петров Пётр", "000015": "", "7": "Сидоров\0\0"}
# The clock was right to so many seconds, as it is shown in whole ones.
ROUNDED = 4
STEPS_OF_LIFE = {"pass": 10, "many": 3, "time": 4, "read": 10, "read on": 6, "off": 2, "between": 8} | dict.fromkeys(
    ("reset", "clock", "zone", "1970", "swap"), 1
)
BETWEEN = ("crowd", "crowd", "off", "kill", "reset", "swap")


class World:
    """An app, and two devices of one model of which one is at the terminal's address."""

    def __init__(self, app: Flask, firmware: str, history: int) -> None:
        self.app, self.random = app, random.Random(f"{firmware} {history}")  # noqa: S311
        NOW.moment = BEGAN
        zone, drift = self.random.choice(CLOCKS)
        first = FIRST_SERIALS.get(firmware, 0)
        self.devices = [
            FactsTerminal(FIRMWARES[firmware], serial, zone=zone, drift=drift, first=first, now=lambda: NOW.moment)
            for serial in ("DS-K1T000AA0000001", "DS-K1T000AA0000002")
        ]
        # Records of a device that was elsewhere, or not read between two others: nobody knows of them.
        self.out_of_sight: set[tuple[str, int, str]] = set()
        self.is_steady, self.was_read, self.was_seen = True, False, False
        # What happens before so many more requests.
        self.pending: list[tuple[int, str]] = []
        self.wire = app.extensions["terminal_transport"] = FactsWire()
        self.wire.before = self.happen_between
        self.connect()
        self.terminal_id = registry.add(Access("Вход", f"http://{HOST}", "admin", PASSWORD)).id
        with transaction():
            db.session.execute(update(Terminal).values(face_mode="picture", serial=self.device.serial_number))

    @property
    def device(self) -> FactsTerminal:
        return self.devices[0]

    def connect(self) -> None:
        self.wire.terminals = {HOST: self.device}

    # What happens.

    def pass_by(self, count: int, seconds: float) -> None:
        for _ in range(count):
            NOW.advance(seconds)
            major, minor = self.random.choice(list(KINDS))
            number = self.random.choice(list(PEOPLE)) if minor in OF_PEOPLE else ""
            name = PEOPLE.get(number, "") if self.random.random() < 0.8 else ""
            older_firmware = {"employeeNo": 7, "employeeNoString": "null"} if number == "7" else {}
            self.device.write(major, minor, number, name, **older_firmware)

    def live(self) -> None:
        """Let one of the steps of life happen."""
        step = self.random.choices(list(STEPS_OF_LIFE), list(STEPS_OF_LIFE.values()))[0]
        if step == "read":
            self.read()
        elif step == "read on":
            self.read_on(self.random.randint(2, 40))
        elif step == "between":
            self.pending.append((self.random.randint(0, 10), self.random.choice(BETWEEN)))
            self.read_on(self.random.randint(1, 4))
        else:
            self.happen(step)

    def happen(self, what: str) -> None:
        choice, between = self.random.choice, self.random.randint
        passes = {
            "pass": (between(1, 6), choice([0, 0.3, 2, 40])),
            "crowd": (between(30, 80), 0.02),
            "many": (between(10, 130), choice([0.1, 2, 60, 900])),
        }
        if what in passes:
            self.pass_by(*passes[what])
        elif what == "time":
            NOW.advance(choice([30, 700, 4000, 90_000]))
        elif what == "off":
            self.wire.terminals = {} if self.wire.terminals else {HOST: self.device}
        elif what == "kill":
            raise Killed
        elif what == "reset":
            self.device.reset()
            self.pass_by(between(1, 3), 1)
        elif self.was_read:
            # Of a jump of the clock, or another device, before the log was read nobody knows.
            self.change(what)

    def change(self, what: str) -> None:
        if what == "swap":
            if not self.was_seen:
                self.out_of_sight |= {row.key for row in self.device.written}
            self.was_seen = False
            self.devices.reverse()
            self.wire.terminals = {HOST: self.device} if self.wire.terminals else {}
            return
        self.is_steady = False
        if what == "zone":
            self.device.zone = timezone(timedelta(hours=self.random.choice([3, 8])))
        elif what == "clock":
            self.device.drift = timedelta(seconds=self.random.choice([0, 92, -400, 5 * 3600, -5 * 3600]))
        else:
            self.device.drift = datetime(1970, 1, 1, 0, self.random.randint(0, 50), tzinfo=UTC) - NOW.moment

    def happen_between(self, _: str, __: PreparedRequest) -> None:
        due = [what for count, what in self.pending if count == 0]
        self.pending = [(count - 1, what) for count, what in self.pending if count]
        for what in due:
            self.happen(what)

    # What the program does.

    def read(self) -> bool:
        """Let the sweep have the log read; return True when nothing is left to be read."""
        NOW.advance(1)
        with db.engine.begin() as connection:
            connection.execute(update(Terminal).values(lease_until=None, backoff_until=None, offline_since=None))
            connection.execute(update(EventLog).values(next_at=LONG_AGO))
        has_more = False
        try:
            for terminal_id in intake.claim_due():
                has_more = intake.read_log(terminal_id, "test")
        except Killed:
            db.session.remove()
            self.app.extensions["terminal_clients"].close()
            return False
        row = db.session.execute(select(EventLog), execution_options={"populate_existing": True}).scalar_one()
        self.was_read = row.complete_to is not None
        self.was_seen = self.was_seen or (row.device_serial == self.device.serial_number and not row.error_code)
        has_more = has_more or bool(row.error_code) or row.older_than is not None
        return not has_more and not {"pass", "lost"} & row.state.keys()

    def read_on(self, times: int) -> bool:
        """Read so many times at most; return True when nothing is left to be read."""
        return any(self.wire.terminals and self.read() for _ in range(times))

    # What is promised.

    def check(self) -> None:
        """Nothing is doubled or misread, and what is missing lies in no span that is complete."""
        written = {row.key: row for device in self.devices for row in device.written}
        stored = stored_events()
        assert max(Counter(map(key_of, stored)).values(), default=1) == 1
        for event in stored:
            row = written[key_of(event)]
            code, name = (row.major, row.minor) if "minor" in row.raw else (0, 0), row.name.strip("\0")
            assert (event.major, event.minor, event.kind) == (*code, KINDS.get(code, "other"))
            assert (event.number, event.name) == (row.number, name)
            if self.is_steady or not self.device.firmware.marks_utc:
                assert event.device_at == datetime.fromisoformat(row.time)
            if self.is_steady:
                assert abs((event.occurred_at - row.really_at).total_seconds()) <= ROUNDED, (row.key, event.occurred_at)
        spans = spans_of(self.terminal_id, NOW.moment)
        complete = [span for span in spans if span.is_complete]
        missing = {row.key for row in written.values() if is_told(self.device, row) or row.major == 5} - {
            *map(key_of, stored)
        }
        for row in (written[key] for key in missing - self.out_of_sight):
            assert not [span for span in complete if span.from_at <= row.really_at < span.to_at], row.key

    def end(self) -> None:
        """When all is well again, everything that the log still has is here."""
        self.pending.clear()
        self.connect()
        self.pass_by(1, 3)
        assert self.read_on(600)
        NOW.advance(1)
        self.read_on(5)
        self.check()
        stored = {*map(key_of, stored_events())}
        assert not [row.key for row in self.device.ring if is_told(self.device, row) and row.key not in stored]
        assert interpretation.interpret_again() == 0


def key_of(event: Event) -> tuple[str, int, str]:
    return event.device_serial, event.serial_no, event.device_time


def is_told(device: FactsTerminal, row: Written) -> bool:
    """True for what can be asked for. Where each minor is a search, the journal is not asked for who signed in."""
    return device.tells(row) and (device.firmware.minor_zero or (row.major, row.minor) != (3, 113))


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"PASSAGES": "poll", "PASSAGES_KEEP": 3000}


@pytest.fixture(autouse=True)
def in_no_time() -> Iterator[None]:
    """The modules that read the time read the one of this world."""
    with pytest.MonkeyPatch.context() as patch:
        live_in_own_time(patch)
        # A history is the same on a slow machine.
        patch.setattr(log_search, "SLICE_SECONDS", 600.0)
        yield


@pytest.mark.usefixtures("context", "worker_alive")
@pytest.mark.parametrize("history", range(HISTORIES))
@pytest.mark.parametrize("firmware", FIRMWARES)
def test_nothing_is_lost_unseen_doubled_or_misread(app: Flask, firmware: str, history: int) -> None:
    world = World(app, firmware, history)
    world.pass_by(world.random.randint(0, 90), world.random.choice([1, 30]))
    for _ in range(STEPS):
        world.live()
        world.check()
    world.end()


@pytest.mark.usefixtures("context", "worker_alive")
def test_sweep_stops_at_the_first_refused_password(app: Flask) -> None:
    """Five refused passwords would lock the account for half an hour."""
    world = World(app, "K1T344", 0)
    world.pass_by(40, 1)
    world.read_on(20)
    world.device.password = "another"
    world.app.extensions["terminal_clients"].close()
    for _ in range(4):
        intake.wake(world.terminal_id)
        tasks.sweep()
        task_queue.lanes(app).run_pending()
    assert world.device.wrong_logins == 1
    assert len(stored_events()) == 40


@pytest.mark.usefixtures("context", "worker_alive")
@pytest.mark.parametrize("firmware", ["marked as UTC", "K1T344"])
def test_page_knows_whether_the_log_marks_local_times_as_utc(app: Flask, firmware: str) -> None:
    world = World(app, firmware, 0)
    world.pass_by(3, 1)
    world.read_on(20)

    assert coverage.marks_utc(world.terminal_id) is (firmware == "marked as UTC")


@pytest.mark.usefixtures("context", "worker_alive")
def test_local_times_from_before_summer_time_ended_are_read_in_summer_time(app: Flask) -> None:
    world = World(app, "marked as UTC", 0)
    world.device.posix, world.device.drift = "CET-1:00:00DST01:00:00,M3.5.0/02:00:00,M10.5.0/03:00:00", timedelta()
    for moment, hours in ((BEGAN - timedelta(days=14), 2), (BEGAN, 1)):
        NOW.moment, world.device.zone = moment, timezone(timedelta(hours=hours))
        world.device.write(5, 75, "001", "")
    world.read_on(20)

    assert sorted(event.occurred_at for event in stored_events()) == [BEGAN - timedelta(days=14), BEGAN]


@pytest.mark.usefixtures("context", "worker_alive")
def test_z_marks_local_time_where_the_clock_is_marked_so(app: Flask) -> None:
    world = World(app, "K1T344", 0)
    world.device.firmware = replace(world.device.firmware, marks_z=True)
    world.device.zone, world.device.drift = timezone(timedelta(hours=5)), timedelta()
    world.pass_by(3, 1)
    world.read_on(20)

    really = [row.really_at for row in world.device.written]
    assert [
        abs((event.occurred_at - at).total_seconds()) <= ROUNDED
        for event, at in zip(stored_events(), really, strict=True)
    ] == [True] * 3
    assert coverage.marks_utc(world.terminal_id)
    assert interpretation.interpret_again() == 0
