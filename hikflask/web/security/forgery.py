"""Forged requests: those of other sites' pages are refused, and a form without its CSRF token loses nothing typed."""

from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Response, current_app, g, render_template, request
from flask_babel import gettext as _

from hikflask.http import permissions
from hikflask.web.security import current_operator, password_prompt, resubmission
from hikflask.web.support import htmx
from hikflask.web.support.responses import error_page
from hikflask.web.support.urls import page_before

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
# `none`: a person typed the address or opened a bookmark.
OWN_SITES = {"same-origin", "none"}
DEFAULT_PORTS = {"http": 80, "https": 443}


def refuse_other_sites() -> Response | None:
    """Answer a request that a page of another site makes the browser send; None lets it through.

    The CSRF token guards every change already. But a form without a session is answered with the sign-in page, which
    carries the form along and shows it again after the sign-in: a form of another site must not come so far.
    """
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


def answer_without_token() -> Response:
    """Show the form again as it was typed, else the way back to it; htmx gets a fresh token for the form it shows."""
    form_page = _form_as_typed()
    if form_page is not None:
        return form_page
    if not htmx.wants_fragment():
        text = _("The page was open for too long, or cookies are off. Open it again and press the button once more.")
        return error_page(HTTPStatus.BAD_REQUEST, text, again=page_before())
    text = _("The page was open for too long, or cookies are off. Nothing typed is lost: try again.")
    response = error_page(HTTPStatus.BAD_REQUEST, text)
    response.set_data(response.get_data(as_text=True) + render_template("errors/_csrf_token.html"))
    return response


def _form_as_typed() -> Response | None:
    """Answer the form as it was typed, as after signing in again in another tab.

    None where nothing typed could be lost, or where htmx leaves the form in its place.
    """
    person, typed = current_operator.get(), resubmission.typed_in_request()
    if person is None or typed is None or permissions.rule() is None or htmx.wants_fragment():
        return None
    if asked := password_prompt.confirm_first(typed, page_before(), HTTPStatus.BAD_REQUEST):
        return asked
    response = resubmission.show_again(typed, person, _("The page was open for too long, or cookies are off."))
    if response is not None:
        response.status_code = HTTPStatus.BAD_REQUEST
    return response
