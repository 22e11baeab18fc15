"""An interactive capture gets its terminal within a second of a bulk run, and nobody who lost it writes after that."""

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Literal

import pytest
from flask import Flask

from hikflask.background.worker import Worker
from hikflask.extensions import db
from hikflask.isapi import events, faces, persons
from hikflask.models import Comparison, Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT, CONFIRMED
from hikflask.services.comparisons import reading
from hikflask.services.core.errors import LeaseLost, TerminalInUse
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.terminals import checks, connection, leases, registry
from hikflask.services.terminals.connection import only_reads
from hikflask.services.terminals.leases import Lease
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SimulatorServer
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import PROFILES
from tests.conftest import PASSWORD
from tests.support.crowds import desire_crowd

pytestmark = pytest.mark.usefixtures("context", "worker_alive")
PEOPLE = 100
# A second, and what a busy machine adds to it. One person takes three seconds there, the proof's Search alone 2.5.
MAX_SECONDS = 1.6
# So long somebody urgent waits in the middle of a request that ends only then: where it is never lent, much longer than
# others need to lend it; and no longer than until it is lent.
REFUSED_AFTER, LENT_WITHIN, LEND_SECONDS = 0.3, 20.0, 0.02


@pytest.fixture
def settings() -> dict[str, object]:
    """A worker that sweeps often."""
    return {"SWEEP_INTERVAL": 0.1}


@pytest.fixture
def simulated(request: pytest.FixtureRequest) -> Iterator[SimulatorServer]:
    """A terminal that takes pictures, with the latency that the test asks for."""
    latency: Literal["none", "recorded"] = getattr(request, "param", "none")
    with SimulatorServer(Simulated(PASSWORD, profile=PROFILES["K1T342MX-E1"], latency=latency), https=True) as server:
        yield server


@pytest.fixture
def terminal(app: Flask, simulated: SimulatorServer) -> Terminal:
    """That terminal's row; it is reached by a socket."""
    app.extensions["terminal_transport"] = None
    access = Access("Склад", simulated.url, "admin", PASSWORD, simulated.fingerprint, face_by_picture=True)
    return checks.check(registry.add(access).id, "test")


def confirmed() -> int:
    db.session.rollback()
    return db.session.query(Enrolment).filter(Enrolment.face == CONFIRMED).count()


def wait_for(count: int) -> None:
    give_up = time.monotonic() + 30
    while confirmed() < count:
        assert time.monotonic() < give_up
        time.sleep(0.02)


@pytest.mark.parametrize("simulated", ["recorded"], indirect=True)
def test_capture_gets_the_terminal_within_a_second_of_a_bulk_run(app: Flask, terminal: Terminal) -> None:
    desire_crowd(PEOPLE, lambda _: [terminal.id])
    worker = Worker(app)
    worker.start()
    waited: list[float] = []
    try:
        wait_for(1)
        for pause in (0.1, 1.0, 2.0):  # At the person, at the face and at the proof of somebody.
            time.sleep(pause)
            began = time.monotonic()
            lease = leases.acquire(terminal.id, "Анна", leases.CAPTURE, 30, wait=5.0, urgent=True)
            waited.append(time.monotonic() - began)
            lease.release()
    finally:
        worker.stop()

    print("a capture waited", *(f"{seconds:.2f} s" for seconds in waited))
    assert max(waited) < MAX_SECONDS
    assert confirmed() < PEOPLE
    assert db.session.query(Enrolment).filter(Enrolment.attempts > 0).count() == 0


class Thief:
    """Tries to take the terminal while each request to some paths is under way, as a person who waits would."""

    def __init__(self, app: Flask, terminal_id: int, simulated: Simulated) -> None:
        self.app = app
        self.terminal_id = terminal_id
        self.simulated = simulated
        self.tried: list[str] = []
        self.lease: Lease | None = None
        self.requests = 0

    def strike(self, path: str, wait: float) -> None:
        """Take the terminal during the next request to this path, or be refused it after so many seconds."""

        def during() -> None:
            if path in self.tried:
                return
            self.tried.append(path)
            with self.app.app_context():
                try:
                    self.lease = leases.acquire(self.terminal_id, "Анна", leases.CAPTURE, 30, wait, urgent=True)
                except TerminalInUse:
                    return
            self.requests = len(self.simulated.log)

        self.simulated.before(path, during)


@pytest.fixture
def thief(app: Flask, terminal: Terminal, simulated: SimulatorServer, monkeypatch: pytest.MonkeyPatch) -> Thief:
    """Somebody urgent who comes in the middle of a request."""
    monkeypatch.setattr(connection, "LEND_SECONDS", LEND_SECONDS)
    return Thief(app, terminal.id, simulated.terminal)


def enrolment() -> Enrolment:
    db.session.rollback()
    return db.session.query(Enrolment).one()


def wish(terminal: Terminal, state: str) -> int:
    """One of many who is to come to the terminal, is there and gets another name, or is there and has to leave."""
    desire_crowd(1, lambda _: [terminal.id])
    mine = enrolment().id
    if state == "new":
        return mine
    reconcile(mine, "background", wait=0.0)
    db.session.execute(db.text("UPDATE employee SET name = 'Другое Имя'"))
    again = {"next_attempt_at": database_now(), "person": "pending", "generation": Enrolment.generation + 1}
    leaving = {"desired": ABSENT, "face": "pending"} if state == "leaving" else {}
    db.session.execute(db.update(Enrolment).values(**again, **leaving))
    db.session.commit()
    return mine


READS = {
    "new": ["UserInfo/Search"],
    "renamed": ["UserInfo/Search"],
    "leaving": ["System/deviceInfo", "UserInfo/Search"],
}
WRITES = {
    "new": ["UserInfo/Record", "FDLib/FDSetUp"],
    "renamed": ["UserInfo/Modify"],
    "leaving": ["UserInfoDetail/Delete", "UserInfoDetail/DeleteProcess"],
}


@pytest.mark.parametrize(("state", "path"), [(state, path) for state, paths in READS.items() for path in paths])
def test_terminal_is_taken_over_while_something_is_read_and_the_earlier_holder_writes_nothing_more(
    terminal: Terminal, thief: Thief, state: str, path: str
) -> None:
    mine = wish(terminal, state)
    thief.strike(path, LENT_WITHIN)

    with pytest.raises(LeaseLost):
        reconcile(mine, "background", wait=0.0)

    assert thief.lease is not None
    assert len(thief.simulated.log) == thief.requests  # Not a single request more.
    row = enrolment()
    assert (row.is_confirmed, row.attempts, row.next_attempt_at is not None) == (False, 0, True)
    thief.lease.verify()
    thief.lease.release()
    reconcile(mine, "Анна")
    db.session.rollback()
    assert all(one.is_confirmed for one in db.session.query(Enrolment))


@pytest.mark.parametrize(("state", "path"), [(state, path) for state, paths in WRITES.items() for path in paths])
def test_terminal_is_never_taken_over_while_something_is_written_there(
    terminal: Terminal, thief: Thief, state: str, path: str
) -> None:
    mine = wish(terminal, state)
    thief.strike(path, REFUSED_AFTER)

    with suppress(LeaseLost):  # It lets go after that, between two requests.
        reconcile(mine, "background", wait=0.0)

    assert (thief.tried, thief.lease) == ([path], None)


def test_what_a_person_waits_for_is_not_broken_off(terminal: Terminal, thief: Thief) -> None:
    mine = wish(terminal, "new")
    thief.strike("UserInfo/Search", REFUSED_AFTER)

    reconcile(mine, "Борис")

    assert (thief.tried, thief.lease) == (["UserInfo/Search"], None)


def test_comparison_lets_the_terminal_go_and_reads_on_later(terminal: Terminal, thief: Thief) -> None:
    reconcile(wish(terminal, "new"), "background", wait=0.0)
    comparison = reading.start(terminal.id, "Анна").id
    thief.strike("UserInfo/Search", LENT_WITHIN)

    with pytest.raises(LeaseLost):
        reading.read_slice(comparison, "background")

    assert thief.lease is not None
    assert db.session.get_one(Comparison, comparison, populate_existing=True).read == 0
    thief.lease.release()
    while reading.read_slice(comparison, "background"):
        pass
    assert db.session.get_one(Comparison, comparison, populate_existing=True).read == 1


def test_every_path_that_writes_is_known_as_such() -> None:
    assert all(only_reads("POST", path) for path in (persons.SEARCH, faces.SEARCH, events.SEARCH))
    assert all(only_reads("GET", path) for path in (persons.COUNT, "/LOCALS/pic/1.jpg", "/ISAPI/System/deviceInfo"))
    writes = {
        "POST": [persons.RECORD, faces.FaceCall.ADD.value[1]],
        "PUT": [persons.MODIFY, persons.DETAIL_DELETE, persons.DELETE, faces.SEARCH_DELETE, faces.DELETE],
        "GET": [persons.DELETE_PROCESS],
    }
    assert not any(only_reads(method, path) for method, paths in writes.items() for path in paths)
