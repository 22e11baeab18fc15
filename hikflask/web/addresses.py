"""Addresses to go on to after a POST."""

import re
from urllib.parse import urlsplit

from flask import redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import IntegerConverter, Map, RequestRedirect
from werkzeug.wrappers import Response as BaseResponse

LARGEST_ID = 2**63 - 1
# A path of ours: not //host, not /\host (which browsers take for one), no control characters.
OWN_PATH = re.compile(r"/(?![/\\])[^\x00-\x20\x7f\\]*\Z")


def led_on(error: HTTPException) -> BaseResponse | None:
    """Answer the router's redirect by its path alone, since it names the host that the request asked for."""
    if not isinstance(error, RequestRedirect):
        return None
    parts = urlsplit(error.new_url)
    path = "/" + parts.path.lstrip("/\\")
    return redirect(f"{path}?{parts.query}" if parts.query else path, error.code)


class RowId(IntegerConverter):
    """A whole number that a database can hold; any other address is unknown."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=LARGEST_ID)


def next_or(default: str) -> str:
    """Return the form's `next` when it is a path of this server, else the default."""
    wanted = request.form.get("next", "")
    return wanted if OWN_PATH.match(wanted) else default


def present_address(drawn: str) -> str:
    """Return the address that the browser shows, when it is of the page that was drawn with this one.

    A search and a capture change what stands after the question mark.
    """
    try:
        parts = urlsplit(request.referrer or "")
    except ValueError:
        return drawn
    shown = f"{parts.path}?{parts.query}"
    same = parts.netloc == request.host and parts.path == urlsplit(drawn).path
    return shown if same and parts.query and OWN_PATH.match(shown) else drawn


def here() -> str:
    """Return the address of the page that is shown, or the start page when it is the answer to a form."""
    return request.full_path.rstrip("?") if request.method == "GET" else "/"
