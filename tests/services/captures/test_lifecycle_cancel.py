"""A capture is cancelled while it runs, and only then; the terminal's window is closed where it can be."""

import pytest

from hikflask.extensions import db
from hikflask.models import Capture, Terminal
from hikflask.models.capture import WAITING
from hikflask.services.captures import queries
from hikflask.services.captures.lifecycle import cancel_capture, send_cancel, start_capture
from hikflask.services.core.errors import LoginStopped
from hikflask.services.terminals import leases
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import IVAN, capture_face

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


@pytest.fixture
def cancelled(terminal: Terminal) -> int:
    """A capture that was cancelled while its lease lasts; the terminal can close its window."""
    lease = leases.acquire(terminal.id, "worker", "capture", 60.0)
    started = start_capture(terminal.id, IVAN, "Анна").id
    assert cancel_capture(started)
    db.session.execute(db.text(f"UPDATE capture SET lease_number = {lease.number}"))
    db.session.execute(db.update(Terminal).values(can_cancel=True))
    db.session.commit()
    return started


def calls(simulator: Simulated) -> list[str]:
    return [entry.method for entry in simulator.log if "CaptureFaceData" in entry.plain_path and entry.logged_in]


def test_what_runs_is_cancelled_once(terminal: Terminal) -> None:
    started = start_capture(terminal.id, IVAN, "Анна").id

    assert [cancel_capture(started), cancel_capture(started)] == [True, False]
    assert queries.get_one(started).state == "cancelled"


def test_what_has_ended_stays_as_it_is(simulator: Simulated, terminal: Terminal) -> None:
    taken = capture_face(simulator, terminal)

    assert not cancel_capture(taken.id)
    assert queries.get_one(taken.id).state == "captured"


def test_terminal_is_told(simulator: Simulated, cancelled: int) -> None:
    send_cancel(cancelled)

    assert calls(simulator) == ["POST"]


@pytest.mark.parametrize("change", ["can_cancel = false", "lease_number = lease_number + 1"])
def test_terminal_that_cannot_or_that_others_use_is_not_told(simulator: Simulated, cancelled: int, change: str) -> None:
    db.session.execute(db.text(f"UPDATE terminal SET {change}"))
    db.session.commit()

    send_cancel(cancelled)

    assert calls(simulator) == []


def test_terminal_that_refused_our_password_is_not_told(simulator: Simulated, cancelled: int) -> None:
    db.session.execute(db.text("UPDATE terminal SET refused_since = CURRENT_TIMESTAMP"))
    db.session.commit()

    with pytest.raises(LoginStopped):
        send_cancel(cancelled)

    assert calls(simulator) == []


def test_cancel_is_not_sent_into_somebody_elses_capture(simulator: Simulated, terminal: Terminal) -> None:
    started = start_capture(terminal.id, IVAN, "Анна")
    db.session.execute(db.update(Capture).values(state=WAITING, lease_number=7))
    db.session.commit()
    cancel_capture(started.id)
    simulator.log.clear()

    send_cancel(started.id)

    assert simulator.log == []
