"""Fixtures of the served app: real processes and real sockets."""

from collections.abc import Iterator

import pytest

from hikflask.simulator import SimulatorServer, Terminal
from tests.processes.processes import Served

PASSWORD = "Abc12345"


@pytest.fixture
def simulator() -> Iterator[SimulatorServer]:
    """A simulated terminal on a socket."""
    with SimulatorServer(Terminal(PASSWORD)) as server:
        yield server


def add_terminal(served: Served, server: SimulatorServer, name: str) -> int:
    """Add a simulated terminal through the API and return its id."""
    access = {"name": name, "url": server.url, "username": "admin", "password": PASSWORD}
    answer = served.http.post(f"{served.url}/api/devices/", json=access, timeout=60)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])
