"""The ports on which Prometheus reads the metrics without a token: whether this program answers there."""

import http.client
from collections.abc import Iterator
from contextlib import closing

from flask import current_app

from hikflask.diagnosis import Finding, good, ports, wrong
from hikflask.metrics import server

SECONDS = 10.0
OURS = b"\nhikflask_"


def check() -> Iterator[Finding]:
    """Ask the pages and a worker of its own for their metrics. Needs an app context."""
    port = current_app.config["METRICS_PORT"]
    if not port:
        return
    yield _at(port, "hikflask")
    if current_app.config["WORKER"] == "external":
        yield _at(server.worker_port(current_app), "hikflask-worker")


def _at(port: int, unit: str) -> Finding:
    address = current_app.config["METRICS_ADDRESS"]
    try:
        with closing(http.client.HTTPConnection(address, port, timeout=SECONDS)) as connection:
            connection.request("GET", server.PATH)
            is_ours = OURS in connection.getresponse().read()
    except ConnectionRefusedError:
        return wrong(
            f"Nothing listens on port {port}, where {unit} tells its metrics: `systemctl restart {unit}`, and "
            f"`journalctl -u {unit}` says why it does not."
        )
    except (OSError, http.client.HTTPException):
        is_ours = False
    if is_ours:
        return good(f"{unit} tells its metrics on port {port}.")
    return wrong(
        f"Another program answers where {unit} should tell its metrics. {ports.listener(port)} "
        "Stop it, or set HIKFLASK_METRICS_PORT to another port."
    )
