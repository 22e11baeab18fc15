"""The cookie by which a browser shows who was signed in on it before; it opens nothing.

See services/accounts/known_devices.py.
"""

from flask import Response, request

from hikflask.services.accounts import known_devices
from hikflask.web.security import current_operator
from hikflask.web.security.session_cookie import name_here

COOKIE = "hikflask_device"


def shown() -> str:
    """Return what the browser shows, whoever made it."""
    return request.cookies.get(name_here(COOKIE), "")


def remember(response: Response) -> Response:
    """Let the browser show from now on that whoever is signed in was signed in on it."""
    person = current_operator.present()
    if person:
        value = known_devices.with_account(shown(), person.operator_id, person.device_generation)
        response.set_cookie(
            name_here(COOKIE),
            value,
            max_age=known_devices.VALID_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=request.is_secure,
        )
    return response
