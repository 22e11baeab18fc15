"""What is said of the running service."""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from hikflask.diagnosis import machine, service, wrong
from tests.processes.processes import free_port
from tests.support.accounts import as_nobody
from tests.support.other_program import other_program


def test_other_program_at_the_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with other_program() as port:
        monkeypatch.setenv("HIKFLASK_BIND", f"127.0.0.1:{port}")

        assert list(service.check([])) == [
            wrong(
                f"Another program than the service answers at 127.0.0.1:{port}. {machine.listener(port)} "
                "Stop it, or set HIKFLASK_BIND to another address, and then `systemctl restart hikflask`."
            )
        ]


def test_port_on_which_nothing_listens_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("HIKFLASK_BIND", f"127.0.0.1:{port}")

    assert list(service.check([])) == [
        wrong(
            f"The service does not answer at 127.0.0.1:{port} ([Errno 111] Connection refused): `journalctl -u "
            f"hikflask` says why, `systemctl start hikflask` starts it. Nothing listens on port {port}."
        )
    ]


def test_full_disk_is_said_with_its_folder_and_free_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    full = {"path": "/var/lib/hikflask", "free_bytes": 4096}
    ready = {"status": "error", "database": "ok", "queue": "ok", "worker": "ok", "disk": "error", "no_space_left": full}

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503)
            self.end_headers()
            self.wfile.write(json.dumps(ready).encode())

        def version_string(self) -> str:
            return service.SERVER

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("HIKFLASK_BIND", f"127.0.0.1:{server.server_port}")
        found = list(service.check([]))
        server.shutdown()
        thread.join()

    assert found == [
        wrong("The service answers and is not ready (disk): 4,096 bytes are free where /var/lib/hikflask is.")
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is somebody else")
def test_socket_that_the_account_may_not_see_is_not_said_to_be_silent(
    monkeypatch: pytest.MonkeyPatch, closed: Path
) -> None:
    monkeypatch.setenv("HIKFLASK_BIND", f"unix:{closed}/gunicorn.sock")

    with as_nobody():
        found = list(service.check([]))

    assert found == [
        wrong(
            f"nobody cannot see {closed}/gunicorn.sock, as {closed} belongs to root and is closed to others: "
            f"run `chmod o+x {closed}` as root, or move what is in it."
        )
    ]
