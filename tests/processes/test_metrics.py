"""Two web processes and a worker of their own: each tells what all of them count, and answers for itself alone."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from hikflask.simulator import SimulatorServer
from tests.processes.conftest import add_terminal
from tests.processes.processes import ROOT, Served, free_port, until
from tests.support.metrics import samples

REQUESTS = 40
ANSWERED = 'hikflask_requests_total{group="api_users",method="GET",status="200"}'
# What the worker asks a terminal that nobody talks to, again and again.
LOOKS = 'hikflask_isapi_seconds_count{call="AccessControl/UserInfo/Count"}'
CAPTURED = 'hikflask_captures_total{end="used"}'
PORT = free_port()
SHIPPED = ROOT / "deploy/prometheus"


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


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[str]:
    """The address of a Prometheus with our rules and jobs, in seconds, not minutes; skips without one, save in CI."""
    program = shutil.which("prometheus")
    if program is None:
        assert not os.environ.get("CI"), "prometheus must be installed in CI"
        pytest.skip("prometheus is not installed")
    rules = (SHIPPED / "hikflask.rules.yml").read_text(encoding="utf-8")
    (tmp_path / "hikflask.rules.yml").write_text(
        re.sub(r"\[5m\]|for: \d+m", lambda found: found[0].replace("m", "s"), rules)
    )
    jobs = (SHIPPED / "prometheus.yml").read_text(encoding="utf-8").replace("interval: 15s", "interval: 1s")
    (tmp_path / "prometheus.yml").write_text(jobs.replace(":9464", f":{PORT}").replace(":9465", f":{PORT + 1}"))
    address = f"127.0.0.1:{free_port()}"
    command = [program, f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/tsdb"]
    process = subprocess.Popen([*command, f"--web.listen-address={address}", "--log.level=error"])
    yield f"http://{address}"
    process.send_signal(signal.SIGTERM)
    process.wait(30)


def test_processes_count_together(served: Served, simulator: SimulatorServer) -> None:
    add_terminal(served, simulator, "Вход")
    by_web = {"Authorization": f"Bearer {served.http.auth.token}"}  # type: ignore[union-attr]
    before = told(f"{served.url}/metrics", by_web).get(LOOKS, 0)
    for _ in range(REQUESTS):
        told_nothing = requests.get(f"{served.url}/api/users/", headers={**by_web, "Connection": "close"}, timeout=60)
        assert told_nothing.status_code == 200

    # The web processes ask for nothing here: what they tell of it is what the worker counts.
    until(lambda: told(f"{served.url}/metrics", by_web).get(LOOKS, 0) >= before + 2)
    answers = [told(f"http://127.0.0.1:{port}/metrics") for port in [PORT] * 6 + [PORT + 1]]

    assert [found[ANSWERED] for found in answers] == [REQUESTS] * 7
    assert all(found[LOOKS] >= before + 2 for found in answers)
    assert [found[CAPTURED] for found in answers] == [0] * 7
    assert answers[0]['hikflask_terminal_reachable{name="Вход",terminal="1"}'] == 1


def test_dead_pages_are_told_while_the_worker_answers_for_itself(served: Served, prometheus: str) -> None:
    until(lambda: asked(prometheus, 'up{job=~"hikflask|hikflask-worker"}') == {"hikflask": 1, "hikflask-worker": 1})
    assert asked(prometheus, "hikflask_worker_alive") == {"hikflask": 1}

    served.web.send_signal(signal.SIGKILL)

    fired = 'ALERTS{alertname="HikflaskDown", alertstate="firing", job=~"hikflask|hikflask-worker"}'
    # On a busy machine the worker may take longer once than Prometheus waits, and is there again with the next answer.
    until(lambda: asked(prometheus, fired) == {"hikflask": 1})
    until(lambda: asked(prometheus, 'up{job="hikflask-worker"}') == {"hikflask-worker": 1})


def told(address: str, headers: dict[str, str] | None = None) -> dict[str, float]:
    """What one of the processes tells, on a new connection."""
    answer = requests.get(address, headers={"Connection": "close", **(headers or {})}, timeout=60)
    assert answer.status_code == 200, answer.text
    return samples(answer.text)


def asked(prometheus: str, expression: str) -> dict[str, float]:
    """What Prometheus says to an expression, by job; nothing while it does not answer yet."""
    try:
        answer = requests.get(f"{prometheus}/api/v1/query", params={"query": expression}, timeout=60)
    except requests.ConnectionError:
        return {}
    if not answer.ok:
        return {}
    return {one["metric"]["job"]: float(one["value"][1]) for one in answer.json()["data"]["result"]}
