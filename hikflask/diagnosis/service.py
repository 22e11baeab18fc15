"""The running service: gunicorn answers, and what it says of itself at /health/ready."""

import http.client
import json
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from hikflask.diagnosis import Finding, access, good, machine, wrong

DEFAULT_BIND = "127.0.0.1:8000"
UNIX = "unix:"
# What gunicorn calls itself in each answer.
SERVER = "gunicorn"
SECONDS = 10.0
# Without their files everybody works on all the same, and an upgrade is no cure: the doctor has a sentence about them.
PHOTOS = "photos"


def check(hosts: Sequence[str]) -> Iterator[Finding]:
    """Check whether the service is ready. :param hosts: HIKFLASK_HOSTS, of which the first is requested."""
    complaint = not_ready(hosts)
    yield wrong(complaint) if complaint else good("The service answers and is ready.")


def not_ready(hosts: Sequence[str]) -> str:
    """Return why the running service is not ready, as a sentence, or nothing."""
    address = os.environ.get("HIKFLASK_BIND", DEFAULT_BIND)
    try:
        with closing(_connection(address)) as connection:
            connection.request("GET", "/health/ready", headers={"Host": hosts[0].lstrip(".") if hosts else "localhost"})
            answer = connection.getresponse()
            body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return _silent(address, error)
    if answer.headers.get("Server") != SERVER:
        return (
            f"Another program than the service answers at {address}. {_listener(address)}"
            "Stop it, or set HIKFLASK_BIND to another address, and then `systemctl restart hikflask`."
        )
    if answer.status == http.client.OK:
        return ""
    try:
        told = json.loads(body)
        parts = [name for name, state in told.items() if name != "status" and state == "error"]
        full = told.get("no_space_left")
    except (ValueError, AttributeError):
        parts, full = [], None
    if parts == [PHOTOS]:
        return ""
    what = ", ".join(parts) or f"status {answer.status}"
    why = (
        f"{full['free_bytes']:,} bytes are free where {full['path']} is"
        if full
        else "`journalctl -u hikflask -u hikflask-worker` says why"
    )
    return f"The service answers and is not ready ({what}): {why}."


def _silent(address: str, error: Exception) -> str:
    if address.startswith(UNIX):
        hiding = access.hidden(Path(address.removeprefix(UNIX)))
        if hiding:
            return hiding
    return (
        f"The service does not answer at {address} ({error}): `journalctl -u hikflask` says why, "
        f"`systemctl start hikflask` starts it. {_listener(address)}"
    ).rstrip()


def _listener(address: str) -> str:
    """Return who listens on the port of an address, with a space behind it, or nothing for a Unix socket."""
    port = "" if address.startswith(UNIX) else address.rpartition(":")[2]
    return f"{machine.listener(int(port))} " if port.isdecimal() else ""


class _OnUnixSocket(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        """Open the Unix socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(SECONDS)
        self.sock.connect(self._path)


def _connection(address: str) -> http.client.HTTPConnection:
    if address.startswith(UNIX):
        return _OnUnixSocket(address.removeprefix(UNIX))
    return http.client.HTTPConnection(address, timeout=SECONDS)
