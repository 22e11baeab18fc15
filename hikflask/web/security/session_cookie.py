"""The session cookie: Secure wherever the page came by https, and none at all for programs."""

from flask import Flask, request
from flask.sessions import SecureCookieSessionInterface


def name_here(name: str) -> str:
    """Return a cookie's name, with the prefix that browsers keep for this very host when the request came by https."""
    return f"__Host-{name}" if request.is_secure else name


class SessionCookie(SecureCookieSessionInterface):
    """Flask's signed cookie, which over https travels over https alone, and which no other host can set there."""

    def get_cookie_name(self, app: Flask) -> str:
        """The name, for this very host."""
        return name_here(super().get_cookie_name(app))

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - Flask passes it
        """True when this request came by https."""
        return request.is_secure


def register(app: Flask) -> None:
    """Let the app use this cookie."""
    app.session_interface = SessionCookie()
