"""The port on which Prometheus reads the metrics without a token: whether this program answers there."""

import http.client
from collections.abc import Iterator
from contextlib import closing

from hikflask.diagnosis import Finding, good, ports, wrong

ADDRESS = "127.0.0.1"
SECONDS = 10.0
OURS = b"\nhikflask_"


def check(port: int, unit: str) -> Iterator[Finding]:
    """Ask for the metrics. :param port: 0 for none. :param unit: the unit that opens it."""
    if not port:
        return
    try:
        with closing(http.client.HTTPConnection(ADDRESS, port, timeout=SECONDS)) as connection:
            connection.request("GET", "/metrics")
            is_ours = OURS in connection.getresponse().read()
    except ConnectionRefusedError:
        yield wrong(
            f"Nothing listens on the port of the metrics, {port}: `systemctl restart {unit}`, and "
            f"`journalctl -u {unit}` says why it does not open it."
        )
        return
    except (OSError, http.client.HTTPException):
        is_ours = False
    if is_ours:
        yield good(f"The metrics are there on port {port}.")
    else:
        yield wrong(
            f"Another program answers on the port of the metrics. {ports.listener(port)} "
            "Stop it, or set HIKFLASK_METRICS_PORT to another port."
        )
