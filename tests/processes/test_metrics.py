"""Two web processes and a worker of their own count together, whichever of them is asked."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from hikflask.simulator import SimulatorServer
from tests.processes.conftest import add_terminal
from tests.processes.processes import Served, free_port, until
from tests.support.metrics import samples

REQUESTS = 40
ANSWERED = 'hikflask_requests_total{group="api_users",method="GET",status="200"}'
# What the worker asks a terminal that nobody talks to, again and again.
LOOKS = 'hikflask_isapi_seconds_count{call="AccessControl/UserInfo/Count"}'
PORT = free_port()


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The app as two web processes, which share a folder for what they count with the worker."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "metrics"))
    quick = {"SWEEP_INTERVAL": "0.3", "DRIFT_INTERVAL": "0.3"}
    app = Served(tmp_path, WORKER="external", PROCESSES="2", METRICS_PORT=str(PORT), **quick)
    app.start()
    app.start_worker()
    yield app
    app.stop()


def test_processes_count_together(served: Served, simulator: SimulatorServer) -> None:
    add_terminal(served, simulator, "Вход")
    by_web = {"Authorization": f"Bearer {served.http.auth.token}"}  # type: ignore[union-attr]
    before = told(f"{served.url}/metrics", by_web).get(LOOKS, 0)
    for _ in range(REQUESTS):
        told_nothing = requests.get(f"{served.url}/api/users/", headers={**by_web, "Connection": "close"}, timeout=20)
        assert told_nothing.status_code == 200

    # The web processes ask for nothing here: what they tell of it is what the worker counts.
    until(lambda: told(f"{served.url}/metrics", by_web).get(LOOKS, 0) >= before + 2)
    answers = [told(f"http://127.0.0.1:{PORT}/metrics") for _ in range(6)]

    assert [found[ANSWERED] for found in answers] == [REQUESTS] * 6
    assert all(found[LOOKS] >= before + 2 for found in answers)
    assert answers[0]['hikflask_terminal_reachable{name="Вход",terminal="1"}'] == 1


def told(address: str, headers: dict[str, str] | None = None) -> dict[str, float]:
    """What one of the processes tells, on a new connection."""
    answer = requests.get(address, headers={"Connection": "close", **(headers or {})}, timeout=20)
    assert answer.status_code == 200, answer.text
    return samples(answer.text)
