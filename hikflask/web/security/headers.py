"""The security headers of every answer, and the headers of a request that are believed: those of the proxy in front."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix

from hikflask.config import UNIX_SOCKET
from hikflask.http import permissions

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
# Browser features that no page here uses, but for the camera (allow_camera()), so that no injected script can use them.
DISABLED_FEATURES = (
    "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen", "geolocation",
    "gyroscope", "hid", "magnetometer", "microphone", "midi", "payment", "picture-in-picture",
    "publickey-credentials-get", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip
PERMISSIONS_POLICY = "Permissions-Policy"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    # Pages of other sites get neither a handle on our windows nor our pictures.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    PERMISSIONS_POLICY: ", ".join(f"{feature}=()" for feature in DISABLED_FEATURES),
}


def register(app: Flask) -> None:
    """Add the headers to each answer of the app."""
    app.after_request(add_headers)


def allow_camera(response: Response) -> None:
    """Allow the page in this answer to use the camera, if the browser's user agrees."""
    response.headers[PERMISSIONS_POLICY] = HEADERS[PERMISSIONS_POLICY].replace("camera=()", "camera=(self)")


def add_headers(response: Response) -> Response:
    """Add the headers; pages with people's names stay out of shared caches."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if permissions.is_api_call():
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Content-Disposition", 'attachment; filename="api.json"')
    if request.endpoint and not request.endpoint.endswith("static"):
        response.headers.setdefault("Cache-Control", "private, no-cache")
        # The same address answers a page, or to htmx a fragment of it.
        response.vary.add("HX-Request")
    return response


def trust_proxy(app: Flask) -> None:
    """Believe the proxy in front, and nobody else, about the address and scheme of a request.

    ProxyFix is applied for exactly one hop, and only to requests that come from HIKFLASK_TRUSTED_PROXY itself.
    """
    proxy, direct = app.config["TRUSTED_PROXY"], app.wsgi_app
    behind = ProxyFix(direct, x_for=1, x_proto=1, x_host=0, x_port=0, x_prefix=0)
    # gunicorn sets an empty REMOTE_ADDR for a connection by Unix socket; no TCP connection has one. Where it listens on
    # [::], a peer of IPv4 has an address that begins with ::ffff:.
    peers = {UNIX_SOCKET: {""}, "": set()}.get(proxy, {proxy, f"::ffff:{proxy}"})

    def serve(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        is_proxy = environ.get("REMOTE_ADDR") in peers
        return (behind if is_proxy else direct)(environ, start_response)

    app.wsgi_app = serve  # type: ignore[method-assign]
