"""The cookie with the accounts that signed in on this browser before (see known_devices.py); it gives no access."""

from flask import Response, request

from hikflask.services.accounts import known_devices
from hikflask.web.security import current_operator
from hikflask.web.security.session_cookie import name_here

COOKIE = "hikflask_device"


def value() -> str:
    """Return the cookie's value, which anybody may have made up."""
    return request.cookies.get(name_here(COOKIE), "")


def remember(response: Response) -> Response:
    """Add the operator who is signed in to the accounts in the cookie."""
    person = current_operator.get()
    if person:
        response.set_cookie(
            name_here(COOKIE),
            known_devices.with_account(value(), person.operator_id, person.device_generation),
            max_age=known_devices.VALID_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=request.is_secure,
        )
    return response
