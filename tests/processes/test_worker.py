"""The worker as a process: found missing, and killed in the middle."""

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hikflask.simulator import SimulatorServer
from hikflask.simulator.faces import NAMES, draw
from tests.processes.conftest import add_terminal
from tests.processes.pages import page_shows, press_capture
from tests.processes.processes import Served, until
from tests.support.migrated import FILE

FACE = draw(NAMES[2])
# After the deadline and what is added to it.
OVER = "strftime('%Y-%m-%d %H:%M:%S.000000', 'now', '-10 seconds')"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """The app with workers of its own, which a test starts and kills."""
    app = Served(tmp_path, WORKER="external", CAPTURE_TIMEOUT="60", SWEEP_INTERVAL="0.5", RETRY_BASE="1")
    app.start()
    yield app
    app.kill()


def test_worker_killed_in_a_capture_ends_in_a_failure_and_the_next_one_works(
    served: Served, simulator: SimulatorServer
) -> None:
    add_terminal(served, simulator, "Вход")
    address = press_capture(served)
    assert page_shows(served, address, "o worker is running")
    worker = served.start_worker()
    until(served.has_worker)
    address = press_capture(served, address.rpartition("=")[2])
    until(lambda: simulator.terminal.camera.window is not None)

    worker.send_signal(signal.SIGKILL)
    worker.wait()

    assert not page_shows(served, address, "was interrupted")
    let_deadline_pass(served)
    assert page_shows(served, address, "was interrupted")
    assert page_shows(served, address, "Иван Иванов")
    served.start_worker()
    until(lambda: served.has_worker(2))
    # The window of the killed worker would take the face.
    simulator.terminal.interrupt()
    until(lambda: simulator.terminal.camera.window is None)
    address = press_capture(served)
    simulator.terminal.present(FACE, stay=60)
    until(lambda: page_shows(served, address, "Photo captured!"))


def let_deadline_pass(served: Served) -> None:
    """Let the time pass until the capture has failed and its terminal is free."""
    with closing(sqlite3.connect(served.folder / FILE)) as database, database:
        database.execute(f"UPDATE capture SET deadline = {OVER}")
        database.execute(f"UPDATE terminal SET lease_until = {OVER}")
