"""The headers that every answer carries."""

from flask import Flask, Response, request

from hikflask.http import permissions

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
# What no page of ours asks for, and no script that got into one shall.
NO_FEATURES = (
    "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen", "geolocation",
    "gyroscope", "hid", "magnetometer", "microphone", "midi", "payment", "picture-in-picture",
    "publickey-credentials-get", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    # Neither a page that opens one of ours, nor one that shows its pictures, comes near to it.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in NO_FEATURES),
}


def register(app: Flask) -> None:
    """Add the headers to each answer of the app."""
    app.after_request(protect)


def protect(response: Response) -> Response:
    """Allow nothing from elsewhere, and keep pages with people's names out of shared caches."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if permissions.is_api_call():
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Content-Disposition", 'attachment; filename="api.json"')
    if request.endpoint and not request.endpoint.endswith("static"):
        response.headers.setdefault("Cache-Control", "private, no-cache")
        # One address answers a page or, to htmx, a fragment of it.
        response.vary.add("HX-Request")
    return response
