"""Believes the proxy in front, and nobody else, about the address and scheme of a request."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from hikflask.config import UNIX_SOCKET

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def register(app: Flask) -> None:
    """Apply ProxyFix for exactly one hop, and only to requests that come from HIKFLASK_TRUSTED_PROXY itself."""
    proxy, direct = app.config["TRUSTED_PROXY"], app.wsgi_app
    behind = ProxyFix(direct, x_for=1, x_proto=1, x_host=0, x_port=0, x_prefix=0)
    # gunicorn sets an empty REMOTE_ADDR for a connection by Unix socket; no TCP connection has one. Where it listens on
    # [::], a peer of IPv4 has an address that begins with ::ffff:.
    peers = {UNIX_SOCKET: {""}, "": set()}.get(proxy, {proxy, f"::ffff:{proxy}"})

    def serve(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        is_proxy = environ.get("REMOTE_ADDR") in peers
        return (behind if is_proxy else direct)(environ, start_response)

    app.wsgi_app = serve  # type: ignore[method-assign]
