"""What is reached over a network: the ports of the metrics, the address that terminals push to, and the mail server."""

import http.client
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

from flask import current_app

from hikflask.diagnosis import Finding, good, machine, wrong
from hikflask.metrics import server
from hikflask.services.alarms import mail_server
from hikflask.services.passages import push_slot

SECONDS = 10.0
METRICS = b"\nhikflask_"


def check_metrics() -> Iterator[Finding]:
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
            is_ours = METRICS in connection.getresponse().read()
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
        f"Another program answers where {unit} should tell its metrics. {machine.listener(port)} "
        "Stop it, or set HIKFLASK_METRICS_PORT to another port."
    )


# With no terminal's secret.
PUSH_PATH = f"{push_slot.PATH}doctor"


def check_pushes() -> Iterator[Finding]:
    """Tell something at HIKFLASK_PUSH_ADDRESS, where terminals do, without a secret. Needs an app context."""
    if not push_slot.is_used():
        return
    address = current_app.config["PUSH_ADDRESS"]
    try:
        status, is_empty = _told(address)
    except (OSError, http.client.HTTPException) as error:
        yield wrong(
            f"Nothing answers at {address} ({error}), where terminals tell by themselves: correct "
            "HIKFLASK_PUSH_ADDRESS, or let nginx listen there. Their logs are read all the same."
        )
        return
    # All that is refused is answered so.
    if status == http.client.NOT_FOUND and is_empty:
        yield good(f"The service answers at {address}, where terminals tell by themselves.")
        return
    yield wrong(
        f"Something else than the service answers at {address} ({status}), where terminals tell by themselves: "
        "correct HIKFLASK_PUSH_ADDRESS, or compare nginx's site with deploy/nginx.conf."
    )


def _told(address: str) -> tuple[int, bool]:
    """Return the status of the answer, and whether it is empty."""
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port
    connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    if parts.scheme == "https":  # Terminals look at no certificate either.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, port, timeout=SECONDS, context=context)
    with closing(connection):
        connection.request("POST", PUSH_PATH)
        answer = connection.getresponse()
        return answer.status, not answer.read()


def check_mail() -> Iterator[Finding]:
    """Connect to the mail server as a mail about an alarm would be sent. Needs an app context."""
    config = current_app.config
    if not config["MAIL_SERVER"]:
        return
    place = f"The mail server {config['MAIL_SERVER']}:{config['MAIL_PORT']}"
    try:
        with mail_server.signed_in():
            pass
    except smtplib.SMTPAuthenticationError:
        yield wrong(
            f"{place} refuses our account, so no alarm is mailed: correct HIKFLASK_MAIL_USER and "
            "HIKFLASK_MAIL_PASSWORD."
        )
    except OSError as error:
        yield wrong(
            f"{place} does not let us in ({error}), so no alarm is mailed: correct HIKFLASK_MAIL_SERVER, "
            "HIKFLASK_MAIL_PORT or HIKFLASK_MAIL_TLS, or let this machine reach it."
        )
    else:
        yield good(f"{place} lets us in.")
