"""Two serving processes and a worker of its own share one PostgreSQL database and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hikflask.simulator import SimulatorServer
from hikflask.simulator.faces import NAMES, draw
from tests.processes.conftest import add_terminal
from tests.processes.pages import page_shows, press_capture, save
from tests.processes.processes import Served, until
from tests.support.postgresql import Cluster

FACE = draw(NAMES[3])


@pytest.fixture
def served(tmp_path: Path, cluster: Cluster) -> Iterator[Served]:
    """The app on PostgreSQL, with an external worker."""
    settings = {"DATABASE_URL": cluster.create("served"), "WORKER": "external", "PROCESSES": "2", "SWEEP_INTERVAL": "1"}
    app = Served(tmp_path, **settings, CAPTURE_TIMEOUT="20")
    app.start()
    app.start_worker()
    yield app
    app.stop()
    cluster.drop("served")


def test_enrolment_through_pages_and_an_external_worker(served: Served, simulator: SimulatorServer) -> None:
    add_terminal(served, simulator, "Вход")
    address = press_capture(served)
    simulator.terminal.present(FACE, stay=60)
    until(lambda: page_shows(served, address, "Photo captured!"))

    employee = save(served, address)

    until(lambda: page_shows(served, employee, "Checked at"))
    assert simulator.terminal.faces["100222"].jpeg == FACE
