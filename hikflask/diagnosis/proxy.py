"""nginx in front, on this machine: that the pages come by https, with the headers that protect them."""

import http.client
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from hikflask.diagnosis import Finding, certificate, good, machine, wrong

SECONDS = 10.0
HEALTH = "/health"
NO_ANSWER = "`nginx -t` checks its settings, `systemctl status nginx` says whether it runs"
# nginx starts also with an EC certificate beside an RSA key, and then refuses every connection.
NO_TLS = (
    "its site must have this name, and a certificate and a key that belong together and are of one kind, RSA or EC; "
    "`nginx -t` checks its settings"
)
MAX_NAME = 80
NO_SITE = (
    "{site} is missing: `ln -s ../sites-available/hikflask {site}` puts it back, or deploy/install.sh where that file "
    "is missing, too; then `systemctl reload nginx`"
)
NEEDED = ("Strict-Transport-Security", "Content-Security-Policy", "X-Content-Type-Options")


def check(
    hosts: Sequence[str], address: str = "127.0.0.1", https: int = 443, plain: int = 80, site: Path = certificate.SITE
) -> Iterator[Finding]:
    """Request pages of nginx as a browser would. :param hosts: HIKFLASK_HOSTS, of which the first is requested."""
    if not hosts:
        yield wrong("HIKFLASK_HOSTS is not set, so pages answer to any name: set it to the name that people type.")
        return
    port = https
    try:
        yield from _by_https(hosts, address, port, site)
        port = plain
        yield _redirects(hosts[0].lstrip("."), address, port)
    except (OSError, http.client.HTTPException) as error:
        cure = NO_TLS if isinstance(error, ssl.SSLError) else NO_ANSWER
        cure = cure if site.exists() else NO_SITE.format(site=site)
        yield wrong(
            f"nginx does not serve {hosts[0].lstrip('.')} at {address} ({error}): {cure}. {machine.listener(port)}"
        )


def _by_https(hosts: Sequence[str], address: str, port: int, site: Path) -> Iterator[Finding]:
    host = hosts[0].lstrip(".")
    # What is looked at is this machine's own certificate; whether browsers trust it they say themselves.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with closing(http.client.HTTPSConnection(address, port, timeout=SECONDS, context=context)) as connection:
        connection.sock = context.wrap_socket(socket.create_connection((address, port), SECONDS), server_hostname=host)
        yield from certificate.check(hosts, connection.sock.getpeercert(binary_form=True) or b"")
        connection.request("GET", HEALTH, headers={"Host": host})
        answer = connection.getresponse()
        answer.read()
    missing = [name for name in NEEDED if not answer.headers.get(name)]
    if answer.status == http.client.OK and not missing:
        yield good(f"nginx serves https://{host} with the headers that protect the pages.")
    elif not _is_nginx(answer):
        yield wrong(_foreign(answer, port))
    elif answer.status == http.client.NOT_FOUND and not site.exists():
        yield wrong(f"Another site of nginx answers for {host}: {NO_SITE.format(site=site)}.")
    elif answer.status != http.client.OK:
        yield wrong(f"https://{host}{HEALTH} answers {answer.status}: `journalctl -u hikflask -u nginx` says why.")
    else:
        yield wrong(
            f"https://{host} answers without {', '.join(missing)}: compare nginx's site with deploy/nginx.conf."
        )


def _redirects(host: str, address: str, port: int) -> Finding:
    with closing(http.client.HTTPConnection(address, port, timeout=SECONDS)) as connection:
        connection.request("GET", "/", headers={"Host": host})
        answer = connection.getresponse()
        answer.read()
    target = answer.headers.get("Location", "")
    if answer.status in {301, 308} and target.startswith(f"https://{host}"):
        return good("Who comes by http is led to https.")
    if not _is_nginx(answer):
        return wrong(_foreign(answer, port))
    return wrong(f"http://{host} answers {answer.status} and does not lead to https: see deploy/nginx.conf.")


def _is_nginx(answer: http.client.HTTPResponse) -> bool:
    return answer.headers.get("Server", "").startswith("nginx")


def _foreign(answer: http.client.HTTPResponse, port: int) -> str:
    # What it calls itself, since whose program it is only root may look at.
    name = answer.headers.get("Server", "")
    called = f", which calls itself {name[:MAX_NAME]}" if name else ""
    return (
        f"Another program than nginx answers on port {port}{called}. "
        f"{machine.listener(port)} Stop it, and then `systemctl restart nginx`."
    )
