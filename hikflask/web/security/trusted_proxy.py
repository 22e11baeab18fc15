"""Believes the proxy in front, and nobody else, about the address and scheme of a request."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from hikflask.config import UNIX_SOCKET

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


# gunicorn sets an empty REMOTE_ADDR for a connection by Unix socket; no TCP connection has one.
NO_ADDRESS = ""


class TrustedProxy:
    """Applies ProxyFix for exactly one hop, and only to requests that come from the proxy itself.

    :param proxy: `unix` for the Unix socket, an IP address, or empty for none.
    """

    def __init__(self, app: "WSGIApplication", proxy: str) -> None:
        self._app = app
        self._behind = ProxyFix(app, x_for=1, x_proto=1, x_host=0, x_port=0, x_prefix=0)
        self._peer = NO_ADDRESS if proxy == UNIX_SOCKET else proxy or None

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        trusted = self._peer is not None and environ.get("REMOTE_ADDR") == self._peer
        return (self._behind if trusted else self._app)(environ, start_response)


def register(app: Flask) -> None:
    """Wrap the app with the middleware."""
    app.wsgi_app = TrustedProxy(app.wsgi_app, app.config["TRUSTED_PROXY"])  # type: ignore[method-assign]
