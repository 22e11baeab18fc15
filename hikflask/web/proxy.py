"""Believes the proxy in front, and nobody else, about where a request came from."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class TrustedProxy:
    """Applies ProxyFix for exactly one hop, and only to what the proxy's own address sent."""

    def __init__(self, app: "WSGIApplication", address: str) -> None:
        self._app = app
        self._behind = ProxyFix(app, x_for=1, x_proto=1, x_host=0, x_port=0, x_prefix=0)
        self._address = address

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        trusted = self._address and environ.get("REMOTE_ADDR") == self._address
        return (self._behind if trusted else self._app)(environ, start_response)


def register(app: Flask) -> None:
    """Put the proxy's word before the app, when one is trusted."""
    app.wsgi_app = TrustedProxy(app.wsgi_app, app.config["TRUSTED_PROXY"])  # type: ignore[method-assign]
