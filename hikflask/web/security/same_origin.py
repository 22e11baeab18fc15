"""Refuses a request that a page of another site makes the browser send.

The CSRF token guards every change already. But a form without a session is answered with the sign-in page, which
carries the form along and shows it again after the sign-in: a form of another site must not come so far.
"""

from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Response, current_app, g, request
from flask_babel import gettext as _

from hikflask.http import permissions

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
# `none`: a person typed the address or opened a bookmark.
OWN_SITES = {"same-origin", "none"}
DEFAULT_PORTS = {"http": 80, "https": 443}


def refuse() -> Response | None:
    """Answer a request that could change something and comes from another site; None lets it through."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    # Older browsers, and all browsers over plain http, send the Origin alone.
    is_own = site in OWN_SITES if site is not None else origin is None or _host(origin) == request.host.casefold()
    if is_own or request.method in SAFE_METHODS or permissions.is_api_call():
        return None
    current_app.logger.warning(
        "request %s refused: it comes from a page of %s",
        g.request_id,
        (origin or "another site")[:100],
    )
    text = _("This came from a page of another site, and nothing was done. Open the form here and try again.")
    return Response(f"{text}\n", HTTPStatus.FORBIDDEN, mimetype="text/plain")


def _host(origin: str) -> str | None:
    """Return the host of an origin, with its port unless it is the default one; None of an opaque origin (`null`)."""
    try:
        parts = urlsplit(origin.casefold())
        is_usual = parts.port is not None and parts.port == DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.netloc.rpartition(":")[0] if is_usual else parts.netloc) or None
