"""The headers that every answer carries."""

from flask import Flask, Response, request

from hikflask import access

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


def register(app: Flask) -> None:
    """Add the headers to each answer of the app."""
    app.after_request(protect)


def protect(response: Response) -> Response:
    """Allow nothing from elsewhere, and keep pages with people's names out of shared caches."""
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if access.is_api_call():
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Content-Disposition", 'attachment; filename="api.json"')
    if request.endpoint and not request.endpoint.endswith("static"):
        response.headers.setdefault("Cache-Control", "private, no-cache")
        # One address answers a page or, to htmx, a fragment of it.
        response.vary.add("HX-Request")
    return response
