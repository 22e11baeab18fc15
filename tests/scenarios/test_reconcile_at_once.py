"""Two settle the same wish at once, as a request and the sweep do on a slow terminal: it is done once."""

import threading
from typing import Any

import pytest
from flask import Flask

from hikflask.models import Enrolment, Terminal
from hikflask.services.core.errors import TerminalInUse
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.terminals import connection
from hikflask.simulator import Terminal as Simulated
from tests.support.enrolments import desire_with_face, enrol

pytestmark = pytest.mark.usefixtures("context", "worker_alive")

FIVE = ["POST", "GET", "PUT", "GET", "POST"]


@pytest.fixture
def settings() -> dict[str, Any]:
    """Whoever comes second waits until the first is done."""
    return {"LEASE_WAIT": 10.0}


class Second:
    """Settles in a thread of its own, begun in the middle of the first conversation."""

    def __init__(self, app: Flask, enrolment: Enrolment) -> None:
        self._app, self._id = app, enrolment.id
        self.began = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def start(self) -> None:
        """Come while the first one has the terminal, and wait for it."""
        if not self.thread.ident:
            self.thread.start()
            self.began.wait(5)

    def _run(self) -> None:
        with self._app.app_context():
            self.began.set()
            reconcile(self._id, "sweep")


def test_second_one_asks_the_terminal_nothing_when_the_first_has_done_it(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = desire_with_face(simulator, terminal)
    second = Second(app, enrolment)
    simulator.log.clear()
    simulator.before("FDSetUp", second.start)

    settled = reconcile(enrolment.id, "operator")
    second.thread.join(10)

    assert settled.is_confirmed
    assert [entry.method for entry in simulator.log] == FIVE


def test_one_that_could_not_wait_does_not_open_again_what_the_first_has_ended(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = enrol(simulator, terminal)
    app.config["LEASE_WAIT"] = 0.0

    with (
        connection.converse(terminal.id, "somebody", "check"),
        app.app_context(),
        pytest.raises(TerminalInUse),
    ):
        reconcile(enrolment.id, "operator", prove_again=True)

    found = queries.get_one(enrolment.id)
    assert found.is_confirmed
    assert found.next_attempt_at is None
