"""Pictures under /LOCALS/pic."""

from __future__ import annotations

from flask import Response, request

from hikflask.simulator.http.responses import reply
from hikflask.simulator.terminal.terminal import Terminal


def picture(terminal: Terminal) -> Response:
    """The file as it is now; the counter in its name is not checked."""
    jpeg = terminal.picture(request.path)
    if jpeg is None:
        return reply(b"<html><body><h1>404 Not Found</h1></body></html>\n", "text/html", 404)
    return reply(jpeg, "image/jpeg")


def no_upload(terminal: Terminal) -> Response:  # noqa: ARG001
    """Pictures cannot be put here; the seed terminal's owner tried."""
    return reply(b"<html><body><h1>405 Method Not Allowed</h1></body></html>\n", "text/html", 405)
