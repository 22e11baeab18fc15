"""gunicorn on a Unix socket, as the unit starts it: for owner and group alone, and believed where a TCP port is not."""

import http.client
import socket
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.processes.on_socket import OnSocket, ServedOnSocket, status_of
from tests.processes.processes import Served

FORGED = {"Authorization": "Bearer nobody-knows-it", "X-Forwarded-For": "198.51.100.7", "X-Forwarded-Ssl": "on"}


@pytest.fixture
def on_socket(tmp_path: Path) -> Iterator[ServedOnSocket]:
    """The app on a Unix socket, whose path has to be a short one."""
    with TemporaryDirectory() as folder:
        app = ServedOnSocket(tmp_path, Path(folder) / "gunicorn.sock")
        app.start()
        yield app
        app.stop()


def refused_from(folder: Path) -> list[str]:
    """The addresses in the audit trail from which an unknown token came."""
    with closing(sqlite3.connect(folder / "hikflask.sqlite3")) as database:
        rows = database.execute("SELECT address FROM audit WHERE action = 'token.refused'").fetchall()
    return [address for (address,) in rows]


def test_who_may_open_the_socket_is_believed_and_nobody_else_may(on_socket: ServedOnSocket, tmp_path: Path) -> None:
    status = status_of(OnSocket(on_socket.path), "/api/users/", **FORGED)

    assert status == 401
    assert refused_from(tmp_path) == ["198.51.100.7"]
    assert stat.filemode(on_socket.path.stat().st_mode) == "srw-rw----"


def test_local_account_that_comes_by_a_port_is_not_believed(served: Served, tmp_path: Path) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)

    assert status_of(connection, "/api/users/", **FORGED) == 401
    assert refused_from(tmp_path) == ["127.0.0.1"]


def test_heads_of_requests_that_never_end_hold_up_nobody(on_socket: ServedOnSocket) -> None:
    with ExitStack() as halves:
        sockets = []
        for number in range(60):
            half = halves.enter_context(closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)))
            half.settimeout(20)
            half.connect(str(on_socket.path))
            half.sendall(b"\r\n\r\n" * (number // 50) + b"GET /health HTTP/1.1\r\nHost: localhost\r\n")
            sockets.append(half)

        assert status_of(OnSocket(on_socket.path, seconds=5), "/health") == 200
        # Half of a head is no lost one; one without end is not read for ever.
        sockets[0].sendall(b"\r\n")
        assert sockets[0].recv(15) == b"HTTP/1.1 200 OK"
        with suppress(OSError):
            sockets[1].sendall(b"X: " + b"x" * 70_000)
        assert sockets[1].recv(15) == b""


def test_service_says_whether_it_is_ready(on_socket: ServedOnSocket) -> None:
    ready = on_socket.hikflask("ready", "--wait", "20")
    on_socket.web.terminate()
    on_socket.web.wait(30)
    away = on_socket.hikflask("ready")

    assert (ready.returncode, ready.stdout) == (0, "The service is ready.\n")
    assert (away.returncode, away.stderr) == (
        1,
        f"Error: The service does not answer at unix:{on_socket.path} ([Errno 2] No such file or directory): "
        "`journalctl -u hikflask` says why, `systemctl start hikflask` starts it.\n",
    )


def test_service_without_a_worker_is_not_ready(tmp_path: Path) -> None:
    with TemporaryDirectory() as folder:
        alone = ServedOnSocket(tmp_path, Path(folder) / "gunicorn.sock", WORKER="external")
        alone.start()
        told = alone.hikflask("ready")
        alone.stop()

    assert (told.returncode, told.stderr) == (
        1,
        "Error: The service answers and is not ready (worker): `journalctl -u hikflask -u hikflask-worker` says why.\n",
    )
