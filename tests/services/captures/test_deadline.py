"""A capture whose worker is gone never counts as running, and pages say that nobody works, not that nobody came."""

import pytest

from hikflask.extensions import db
from hikflask.models import Capture, Terminal
from hikflask.models.capture import CAPTURED, FAILED, WAITING
from hikflask.services.captures import deadline
from hikflask.services.captures.lifecycle import start_capture
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import IVAN, OLGA, capture_face
from tests.support.retention import age

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


def test_worker_killed_in_a_capture_leaves_no_eternal_spinner(simulator: Simulated, terminal: Terminal) -> None:
    started = start_capture(terminal.id, IVAN, "Анна")
    db.session.execute(db.update(Capture).values(state=WAITING))
    db.session.commit()
    age(Capture, "deadline", 3)

    assert (deadline.view(started.id).state, deadline.view(started.id).reason) == (FAILED, "interrupted")
    assert capture_face(simulator, terminal, OLGA, take_over=False).state == CAPTURED


def test_queued_capture_says_that_no_worker_runs(terminal: Terminal) -> None:
    db.session.execute(db.text("DELETE FROM heartbeat"))
    db.session.commit()

    started = start_capture(terminal.id, IVAN, "Анна")

    assert deadline.view(started.id).reason == "no_worker"
