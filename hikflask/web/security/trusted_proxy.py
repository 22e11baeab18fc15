"""Believes the proxy in front, and nobody else, about where a request came from."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from hikflask.config import UNIX_SOCKET

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


# Whoever comes by a Unix socket has no address: gunicorn says so by an empty REMOTE_ADDR, which no TCP connection has.
NO_ADDRESS = ""


class TrustedProxy:
    """Applies ProxyFix for exactly one hop, and only to what came by the Unix socket or from the proxy's own address.

    Args: proxy is `unix`, an IP address, or empty for none.
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
    """Put the proxy's word before the app, when one is trusted."""
    app.wsgi_app = TrustedProxy(app.wsgi_app, app.config["TRUSTED_PROXY"])  # type: ignore[method-assign]
