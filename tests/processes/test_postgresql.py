"""Two serving processes and a worker of its own share one PostgreSQL database, also one that was copied from SQLite."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
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


def test_enrolment_goes_on_at_a_copied_installation(
    tmp_path: Path, cluster: Cluster, simulator: SimulatorServer
) -> None:
    before = Served(tmp_path)
    before.start()
    terminal = add_terminal(before, simulator, "Вход")
    user = {"hikvision_id": "100222", "full_name": "Иван Иванов"}
    added = before.http.post(f"{before.url}/api/users/", json=user, timeout=20).json()
    before.stop()
    forget_workers(tmp_path)
    address = cluster.create("moved")
    assert "Copied and compared" in before.flask("database", "copy-to", address)
    after = Served(tmp_path, DATABASE_URL=address)
    after.serve()

    simulator.terminal.present(FACE, stay=60)
    captured = f"{after.url}/api/devices/{terminal}/start-face-capture"
    assert after.http.post(captured, json={"hikvision_id": "100222"}, timeout=30).json()["success"] is True
    synced = f"{after.url}/api/users/{added['id']}/sync-to-device"
    assert after.http.post(synced, json={}, timeout=30).json()["verified"] is True

    shown = after.http.get(f"{after.url}/api/users/{added['id']}", timeout=20).json()
    assert (shown["hikvision_id"], shown["synced_to_device"]) == ("100222", True)
    assert simulator.terminal.faces["100222"].jpeg == FACE
    after.stop()
    cluster.drop("moved")


def forget_workers(folder: Path) -> None:
    """Let the last signs of life be old: the command waits for no worker."""
    with closing(sqlite3.connect(folder / "hikflask.sqlite3")) as database, database:
        database.execute("DELETE FROM heartbeat")
