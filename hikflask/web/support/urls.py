"""Paths of this server: where to go on after a POST or a question, and the ids in addresses."""

import re
from urllib.parse import urlsplit

from flask import current_app, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import IntegerConverter, RequestRedirect
from werkzeug.wrappers import Response as BaseResponse

from hikflask.forms.fields import row_id

# A path on this server: not //host, nor /\host, which browsers read as a host; no control characters.
OWN_PATH = re.compile(r"/(?![/\\])[^\x00-\x20\x7f\\]*\Z")


def relative_redirect(error: HTTPException) -> BaseResponse | None:
    """Answer the router's redirect by the path alone, since its own answer repeats the host that the request named."""
    if not isinstance(error, RequestRedirect):
        return None
    parts = urlsplit(error.new_url)
    path = "/" + parts.path.lstrip("/\\")
    return redirect(f"{path}?{parts.query}" if parts.query else path, error.code)


class RowId(IntegerConverter):
    """The id of a row; a number that is larger than any id becomes 0, which no row has."""

    def to_python(self, value: str) -> int:
        """Return the id that an address names."""
        return row_id(value) or 0


def next_or(default: str = "/") -> str:
    """Return the request's `next` when it is a path of this server, else the default."""
    path = request.values.get("next", "")
    return path if OWN_PATH.match(path) else default


def current_address(drawn: str) -> str:
    """Return the address that the browser shows, when its path is the one that the page was made with.

    A search or a capture changes the query of the address after the page was made.
    """
    try:
        parts = urlsplit(request.referrer or "")
    except ValueError:
        return drawn
    shown = f"{parts.path}?{parts.query}"
    same = parts.netloc == request.host and parts.path == urlsplit(drawn).path
    return shown if same and parts.query and OWN_PATH.match(shown) else drawn


def page_before() -> str:
    """Return the path of the page that the request came from; the start page where that address has no page."""
    path = own_path(request.headers.get("HX-Current-URL") or request.referrer or "/")
    try:
        current_app.url_map.bind("").match(path.partition("?")[0], "GET")
    except RequestRedirect:
        return path  # such as one without its slash
    except HTTPException:
        return "/"
    return path


def own_path(address: str) -> str:
    """Return path and query of an address when they are safe as a path of this server, else the start page."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return path if OWN_PATH.match(path) else "/"


def here() -> str:
    """Return the address of the page that is being answered, or the start page in the answer to a POST."""
    return request.full_path.rstrip("?") if request.method == "GET" else "/"
