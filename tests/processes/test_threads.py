"""A capture waits for a person; nobody else's page waits for the capture."""

import threading
from contextlib import ExitStack

import requests

from hikflask.simulator import SimulatorServer, Terminal
from hikflask.simulator.faces import NAMES, draw
from tests.processes.conftest import PASSWORD, add_terminal
from tests.processes.processes import Served, until


def test_list_opens_while_three_captures_wait(served: Served) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(SimulatorServer(Terminal(PASSWORD))) for _ in range(3)]
        ids = [add_terminal(served, server, f"door {number}") for number, server in enumerate(servers)]
        waiting = [threading.Thread(target=_capture, args=(served, terminal_id)) for terminal_id in ids]
        for thread in waiting:
            thread.start()
        until(lambda: all(server.terminal.camera.window is not None for server in servers))

        page = served.http.get(f"{served.url}/employees/", timeout=2)

        assert page.status_code == 200
        assert "<main" in page.text
        assert all(thread.is_alive() for thread in waiting)
        for server in servers:
            server.terminal.present(draw(NAMES[0]), stay=60)
        for thread in waiting:
            thread.join(20)


def _capture(served: Served, terminal_id: int) -> None:
    with requests.Session() as http:
        http.trust_env = False
        http.auth = served.http.auth
        http.post(f"{served.url}/api/devices/{terminal_id}/start-face-capture", timeout=60)
