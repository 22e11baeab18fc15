"""An installation that was copied from SQLite: two serving processes and a worker of its own share one PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hikflask import create_app
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.db import transaction
from hikflask.services.employees.save import save_employee
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SimulatorServer
from hikflask.simulator.faces import NAMES, draw
from tests.processes.conftest import PASSWORD
from tests.processes.pages import page_shows, press_capture, save
from tests.processes.processes import Served, until
from tests.support.apps import close
from tests.support.migrated import migrate
from tests.support.postgresql import Cluster

FACE = draw(NAMES[3])


@pytest.fixture
def employee_id(tmp_path: Path, simulator: SimulatorServer) -> int:
    """An installation on SQLite with a terminal; and its employee, who is on no terminal."""
    migrate(tmp_path)
    app = create_app({"INSTANCE_PATH": str(tmp_path), "TESTING": True})
    with app.app_context():
        terminal = registry.add(Access("Вход", simulator.url, "admin", PASSWORD))
        checks.check(terminal.id, "test")
        with transaction():
            saved = save_employee(Draft("100333", "Ольга Ёлкина")).row.id
    close(app)
    return saved


@pytest.fixture
def served(tmp_path: Path, cluster: Cluster, employee_id: int) -> Iterator[Served]:  # noqa: ARG001
    """That installation on PostgreSQL, with an external worker."""
    address = cluster.create("moved")
    app = Served(
        tmp_path, DATABASE_URL=address, WORKER="external", PROCESSES="2", SWEEP_INTERVAL="1", CAPTURE_TIMEOUT="20"
    )
    assert "Copied and compared" in Served(tmp_path).flask("database", "copy-to", address)
    app.serve()
    app.start_worker()
    yield app
    app.kill()
    cluster.drop("moved")


def test_enrolment_goes_on_at_a_copied_installation(
    served: Served, employee_id: int, simulator: SimulatorServer
) -> None:
    address = press_capture(served)
    simulator.terminal.present(FACE, stay=60)
    until(lambda: page_shows(served, address, "Photo captured!"))
    employee = save(served, address)
    until(lambda: page_shows(served, employee, "Checked <time "))
    assert simulator.terminal.faces["100222"].jpeg == FACE

    simulator.terminal.camera.leave()
    simulator.terminal.present(FACE, stay=60)
    user = f"{served.url}/api/users/{employee_id}"
    captured = f"{served.url}/api/devices/1/start-face-capture"
    # For a moment after a capture the terminal refuses the next one.
    until(lambda: served.http.post(captured, json={"hikvision_id": "100333"}, timeout=30).json()["success"])
    assert served.http.post(f"{user}/sync-to-device", json={}, timeout=30).json()["verified"] is True

    shown = served.http.get(user, timeout=60).json()
    assert (shown["hikvision_id"], shown["synced_to_device"]) == ("100333", True)
    assert simulator.terminal.faces["100333"].jpeg == FACE
