"""The app on a Unix socket, as the unit serves it."""

import http.client
import socket
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from tests.processes.processes import Served

# Who sends it is believed where requests come by the socket alone.
FORGED = {"Authorization": "Bearer nobody-knows-it", "X-Forwarded-For": "198.51.100.7", "X-Forwarded-Ssl": "on"}


class OnSocket(http.client.HTTPConnection):
    """A connection by a Unix socket."""

    def __init__(self, path: Path, seconds: float = 20) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        """Connect to the path in place of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def status_of(connection: http.client.HTTPConnection, path: str, **headers: str) -> int:
    """Ask once and return the status."""
    with closing(connection):
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status


def refused_from(folder: Path) -> list[str]:
    """The addresses in the audit trail from which an unknown token came."""
    with closing(sqlite3.connect(folder / "hikflask.sqlite3")) as database:
        rows = database.execute("SELECT address FROM audit WHERE action = 'token.refused'").fetchall()
    return [address for (address,) in rows]


class ServedOnSocket(Served):
    """The app as the unit serves it."""

    def __init__(self, folder: Path, path: Path, **settings: str) -> None:
        super().__init__(folder, BIND=f"unix:{path}", TRUSTED_PROXY="unix", **settings)
        self.path = path

    def _serve(self, app: str) -> subprocess.Popen[bytes]:  # noqa: ARG002
        return self._spawn("hikflask", "serve")

    def _answers(self) -> bool:
        try:
            return status_of(OnSocket(self.path), "/health") == 200
        except OSError:
            return False
