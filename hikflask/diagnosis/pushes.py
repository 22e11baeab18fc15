"""The address at which terminals tell by themselves: whether this program answers there."""

import http.client
import ssl
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

from flask import current_app

from hikflask.diagnosis import Finding, good, wrong
from hikflask.services.passages import push_slot

SECONDS = 10.0
# No terminal's secret.
PATH = f"{push_slot.PATH}doctor"


def check() -> Iterator[Finding]:
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
        connection.request("POST", PATH)
        answer = connection.getresponse()
        return answer.status, not answer.read()
