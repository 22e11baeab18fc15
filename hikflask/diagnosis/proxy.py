"""nginx in front, on this machine: that the pages come by https, with the headers that protect them."""

import http.client
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta

from cryptography import x509

from hikflask.diagnosis import Finding, good, wrong

SECONDS = 10.0
HEALTH = "/health"
NEEDED = ("Strict-Transport-Security", "Content-Security-Policy", "X-Content-Type-Options")
EARLY = timedelta(days=30)


def check(hosts: Sequence[str], address: str = "127.0.0.1", https: int = 443, plain: int = 80) -> Iterator[Finding]:
    """Request pages of nginx as a browser would. :param hosts: HIKFLASK_HOSTS, of which the first is requested."""
    if not hosts:
        yield wrong("HIKFLASK_HOSTS is not set, so pages answer to any name: set it to the name that people type.")
        return
    host = hosts[0].lstrip(".")
    try:
        yield from _by_https(host, address, https)
        yield _redirects(host, address, plain)
    except (OSError, http.client.HTTPException) as error:
        yield wrong(
            f"nginx does not serve {host} at {address} ({error}): `nginx -t` checks its settings, "
            "`systemctl status nginx` says whether it runs."
        )


def _by_https(host: str, address: str, port: int) -> Iterator[Finding]:
    # What is looked at is this machine's own certificate; whether browsers trust it they say themselves.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with closing(http.client.HTTPSConnection(address, port, timeout=SECONDS, context=context)) as connection:
        connection.sock = context.wrap_socket(socket.create_connection((address, port), SECONDS), server_hostname=host)
        yield _certificate(host, connection.sock.getpeercert(binary_form=True) or b"")
        connection.request("GET", HEALTH, headers={"Host": host})
        answer = connection.getresponse()
        answer.read()
    if answer.status != http.client.OK:
        yield wrong(f"https://{host}{HEALTH} answers {answer.status}: `journalctl -u hikflask -u nginx` says why.")
        return
    missing = [name for name in NEEDED if not answer.headers.get(name)]
    if missing:
        yield wrong(
            f"https://{host} answers without {', '.join(missing)}: compare nginx's site with deploy/nginx.conf."
        )
    else:
        yield good(f"nginx serves https://{host} with the headers that protect the pages.")


def _certificate(host: str, der: bytes) -> Finding:
    ends = x509.load_der_x509_certificate(der).not_valid_after_utc
    text = f"The certificate of {host} ends on {ends:%Y-%m-%d}"
    return wrong(f"{text}: renew it.") if ends < datetime.now(UTC) + EARLY else good(f"{text}.")


def _redirects(host: str, address: str, port: int) -> Finding:
    with closing(http.client.HTTPConnection(address, port, timeout=SECONDS)) as connection:
        connection.request("GET", "/", headers={"Host": host})
        answer = connection.getresponse()
        answer.read()
    target = answer.headers.get("Location", "")
    if answer.status in {301, 308} and target.startswith(f"https://{host}"):
        return good("Who comes by http is led to https.")
    return wrong(f"http://{host} answers {answer.status} and does not lead to https: see deploy/nginx.conf.")
