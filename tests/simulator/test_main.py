import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
import requests
from requests.auth import HTTPDigestAuth

from hikflask.simulator.__main__ import main

Start = Callable[..., subprocess.Popen[str]]

COUNT = "/ISAPI/AccessControl/UserInfo/Count?format=json"


@pytest.fixture
def started() -> Iterator[Start]:
    """Start the command; whatever still runs after the test is killed."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "hikflask.simulator", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"HIKFLASK_SIMULATOR_PASSWORD": "Secret12"},
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.long
def test_command_prints_its_address_and_stops_cleanly(started: Start) -> None:
    numbers = (signal.SIGTERM, signal.SIGINT)
    processes = [
        started("--port", "0", "--profile", "ds-k1t341cmfw", "--fault", "slow=0", "--events", "day") for _ in numbers
    ]
    for process, number in zip(processes, numbers, strict=True):
        assert process.stdout
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(found[0] + COUNT, auth=HTTPDigestAuth("admin", "Secret12"), timeout=60)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)

        assert "DS-K1T341CMFW" in line, number
        assert answer.status_code == 200, number
        assert (process.returncode, errors) == (0, ""), number


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--port", "0"), "password"),
        (("--port", "0", "--password", "x", "--profile", "K9"), "unknown model"),
        (("--port", "0", "--password", "x", "--host", "0.0.0.0"), "loopback"),
        (("--port", "0", "--password", "x", "--fault", "flood"), "flood"),
        (("--port", "0", "--password", "x", "--events", "night"), "--events takes day"),
        (("--port", "0", "--password", "x", "--events", "day=0"), "--events takes day"),
    ],
)
def test_command_that_cannot_run_says_why(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], text: str
) -> None:
    monkeypatch.delenv("HIKFLASK_SIMULATOR_PASSWORD", raising=False)

    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert text in capsys.readouterr().err.splitlines()[-1]
