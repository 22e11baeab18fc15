"""gunicorn on a Unix socket, as the unit starts it: for owner and group alone, and believed where a TCP port is not."""

import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from flask import Flask

from tests.processes.on_socket import FORGED, OnSocket, ServedOnSocket, refused_from, status_of


@pytest.fixture(scope="module")
def on_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedOnSocket]:
    """The app on a Unix socket, whose path has to be a short one; without a worker."""
    with TemporaryDirectory() as folder:
        app = ServedOnSocket(tmp_path_factory.mktemp("instance"), Path(folder) / "gunicorn.sock", WORKER="external")
        app.start()
        yield app
        app.stop()


def test_who_may_open_the_socket_is_believed_and_nobody_else_may(on_socket: ServedOnSocket) -> None:
    status = status_of(OnSocket(on_socket.path), "/api/users/", **FORGED)

    assert status == 401
    assert refused_from(on_socket.folder) == ["198.51.100.7"]
    assert stat.filemode(on_socket.path.stat().st_mode) == "srw-rw----"


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


def test_service_says_whether_it_is_ready(
    on_socket: ServedOnSocket, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIKFLASK_BIND", f"unix:{on_socket.path}")
    idle = app.test_cli_runner().invoke(args=["ready"])
    on_socket.start_worker()
    ready = on_socket.hikflask("ready", "--wait", "20")
    on_socket.web.terminate()
    on_socket.web.wait(30)
    away = app.test_cli_runner().invoke(args=["ready"])

    assert (idle.exit_code, idle.stderr) == (
        1,
        "Error: The service answers and is not ready (worker): `journalctl -u hikflask -u hikflask-worker` says why.\n",
    )
    assert (ready.returncode, ready.stdout) == (0, "The service is ready.\n")
    assert (away.exit_code, away.stderr) == (
        1,
        f"Error: The service does not answer at unix:{on_socket.path} ([Errno 2] No such file or directory): "
        "`journalctl -u hikflask` says why, `systemctl start hikflask` starts it.\n",
    )
