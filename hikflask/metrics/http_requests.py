"""Counts and logs each request with its time: neither its address nor who sent it, as these may tell of a person."""

import logging
import time

from flask import Flask, Response, g, request

from hikflask.extensions import metrics
from hikflask.http.permissions import STATIC

log = logging.getLogger(__name__)
METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"}
# Made-up methods and addresses add no labels.
OTHER = "other"


def init_app(app: Flask) -> None:
    """Count the app's requests. Call this before anything else may answer them."""
    app.before_request(begin)
    app.after_request(count)


def begin() -> None:
    """Remember when the request began."""
    g.request_began = time.perf_counter()


def count(response: Response) -> Response:
    """Count the request, now that its answer is made."""
    method = request.method if request.method in METHODS else OTHER
    seconds = time.perf_counter() - g.request_began
    metrics.counted.request(group(), method, response.status_code, seconds)
    # The rule of the address, not the address: that may have a number, or what was searched for.
    log.info("%s %s: %s in %.3f s", method, request.url_rule or "unknown address", response.status_code, seconds)
    return response


def group() -> str:
    """Return the group of the request's address: its blueprint, `static`, or `other` for an unknown one."""
    return STATIC if request.endpoint == STATIC else request.blueprint or OTHER
