"""An interactive capture gets its terminal after the present person of a bulk run, before the next one."""

import time

import pytest
from flask import Flask

from hikflask.background.worker import Worker
from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal
from hikflask.models.enrolment import CONFIRMED
from hikflask.services.terminals import checks, leases, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import PROFILES
from tests.conftest import PASSWORD
from tests.support.crowds import desire_crowd
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")
PEOPLE = 100
# One person takes three seconds there, of which the proof's Search takes 2.5: what is in flight is not broken off.
CONVERSATION_SECONDS = 3.2
MOST_SECONDS = CONVERSATION_SECONDS + 1.0


@pytest.fixture
def settings() -> dict[str, object]:
    """A worker that sweeps often, and a person who waits as long as in real use."""
    return {"SWEEP_INTERVAL": 0.1, "LEASE_WAIT": 5.0}


@pytest.fixture
def slow(wire: InProcess) -> Terminal:
    """A terminal that takes pictures, as slow as recorded."""
    wire.put("slow.test", Simulated(PASSWORD, profile=PROFILES["K1T342MX-E1"], latency="recorded"))
    access = Access("Склад", "http://slow.test", "admin", PASSWORD, face_by_picture=True)
    return checks.check(registry.add(access).id, "test")


def confirmed() -> int:
    db.session.rollback()
    return db.session.query(Enrolment).filter(Enrolment.face == CONFIRMED).count()


def wait_for(count: int) -> None:
    give_up = time.monotonic() + 30
    while confirmed() < count:
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_capture_holds_the_terminal_after_the_present_person_of_a_bulk_run(app: Flask, slow: Terminal) -> None:
    desire_crowd(PEOPLE, lambda _: [slow.id])
    worker = Worker(app)
    worker.start()
    waited: list[float] = []
    try:
        for done in range(3):
            wait_for(done + 1)
            before, began = confirmed(), time.monotonic()
            lease = leases.acquire(slow.id, "Анна", leases.CAPTURE, 30, wait=5.0, urgent=True)
            waited.append(time.monotonic() - began)
            assert confirmed() <= before + 1
            lease.release()
    finally:
        worker.stop()

    print("a capture waited", *(f"{seconds:.2f} s" for seconds in waited))
    assert max(waited) < MOST_SECONDS
    assert confirmed() < PEOPLE
