"""The cookie that tells which accounts were signed in on this browser before; it gives no access.

What it is for: services/accounts/known_devices.py.
"""

from flask import Response, request

from hikflask.services.accounts import known_devices
from hikflask.web.security import current_operator
from hikflask.web.security.session_cookie import name_here

COOKIE = "hikflask_device"


def value() -> str:
    """Return the cookie's value, whoever made it."""
    return request.cookies.get(name_here(COOKIE), "")


def remember(response: Response) -> Response:
    """Add the operator who is signed in to the accounts that the cookie tells."""
    person = current_operator.get()
    if person:
        known = known_devices.with_account(value(), person.operator_id, person.device_generation)
        response.set_cookie(
            name_here(COOKIE),
            known,
            max_age=known_devices.VALID_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=request.is_secure,
        )
    return response
