"""The session cookie: Secure, and with the prefix __Host-, where the page came by https."""

from flask import Flask, request
from flask.sessions import SecureCookieSessionInterface


def name_here(name: str) -> str:
    """Return a cookie's name; over https with __Host- before it, which lets no other host set it."""
    return f"__Host-{name}" if request.is_secure else name


class SessionCookie(SecureCookieSessionInterface):
    """Flask's signed cookie; one that was set over https is sent over https alone, and no other host can set it."""

    def get_cookie_name(self, app: Flask) -> str:
        """Return the name for this request."""
        return name_here(super().get_cookie_name(app))

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - Flask passes it
        """True when this request came by https."""
        return request.is_secure


def register(app: Flask) -> None:
    """Let the app use this cookie."""
    app.session_interface = SessionCookie()
