"""The cookies: that of the session, and that of the accounts that signed in on this browser before.

Over https both have the prefix __Host-, which lets no other host set them. The second one gives no access
(services/accounts/sign_in_limits.py).
"""

from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface

from hikflask.services.accounts import sign_in_limits
from hikflask.web.security import current_operator

DEVICE = "hikflask_device"


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
    """Make this the session cookie of the app."""
    app.session_interface = SessionCookie()


def device() -> str:
    """Return the value of the device's cookie, which anybody may have made up."""
    return request.cookies.get(name_here(DEVICE), "")


def remember_device(response: Response) -> Response:
    """Add the operator who is signed in to the accounts in the device's cookie."""
    person = current_operator.get()
    if person:
        response.set_cookie(
            name_here(DEVICE),
            sign_in_limits.with_account(device(), person.operator_id, person.device_generation),
            max_age=sign_in_limits.DEVICE_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=request.is_secure,
        )
    return response
