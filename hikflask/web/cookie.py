"""The session cookie: Secure wherever the page came by https, and none at all for programs."""

from flask import Flask, request
from flask.sessions import SecureCookieSessionInterface


class SessionCookie(SecureCookieSessionInterface):
    """Flask's signed cookie, which over https travels over https alone, and which no other host can set there."""

    def get_cookie_name(self, app: Flask) -> str:
        """The name, with the prefix that browsers keep for this very host when the request came by https."""
        name = super().get_cookie_name(app)
        return f"__Host-{name}" if request.is_secure else name

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - Flask passes it
        """True when this request came by https."""
        return request.is_secure


def register(app: Flask) -> None:
    """Let the app use this cookie."""
    app.session_interface = SessionCookie()
