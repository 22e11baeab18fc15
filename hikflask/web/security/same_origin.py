"""Refuses what a page of another site makes a browser send: not even what was typed there is kept or shown.

The token in each form guards every change already; but a form without a session is answered with the question who is
there, with a cookie of a new session, and shown again after the sign-in as if it had been typed here.
"""

from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Response, current_app, g, request
from flask_babel import gettext as _

from hikflask.http import permissions

SEEING = {"GET", "HEAD", "OPTIONS"}
# `none` is a person: the address was typed, or a bookmark opened.
OURS = {"same-origin", "none"}
DEFAULT_PORTS = {"http": 80, "https": 443}


def refuse() -> Response | None:
    """Answer at once, and without a look at the session, what would change something and comes from another site."""
    if request.method in SEEING or permissions.is_api_call() or not _is_foreign():
        return None
    current_app.logger.warning(
        "request %s refused: it comes from a page of %s",
        g.request_id,
        request.headers.get("Origin", "another site")[:100],
    )
    text = _("This came from a page of another site, and nothing was done. Open the form here and try again.")
    return Response(f"{text}\n", HTTPStatus.FORBIDDEN, mimetype="text/plain")


def _is_foreign() -> bool:
    """What the browser says of the page; older ones, and all over http but on this machine, say its origin alone."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        return site not in OURS
    return origin is not None and _host(origin) != request.host.casefold()


def _host(origin: str) -> str | None:
    """Return the host of an origin, with its port unless that is the scheme's own; None of one that is kept secret."""
    try:
        found = urlsplit(origin.casefold())
        usual = found.port is not None and found.port == DEFAULT_PORTS.get(found.scheme)
    except ValueError:
        return None
    return (found.netloc.rpartition(":")[0] if usual else found.netloc) or None
