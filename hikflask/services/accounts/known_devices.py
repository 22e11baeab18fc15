"""Devices that an account was signed in on before: tries there are counted apart, so that guesses from elsewhere do not
keep the account's owner out (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").

What a device shows is signed, names accounts by their ids and holds no secret: it opens nothing.
"""

import secrets
from typing import Any

from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer

from hikflask.models import Operator

SALT = "device"
MARK_BYTES = 12
VALID_SECONDS = 180 * 24 * 3600
# At a desk that more people share, those who came last are known; each takes some 35 letters of the cookie.
MOST_ACCOUNTS = 10


def mark(shown: str, operator: Operator | None) -> str | None:
    """Return the mark of a device by which its tries for this account are counted; None where it was never in.

    :param shown: what the device shows, as with_account() made it; anything else is as good as nothing.
    """
    if operator is None:
        return None
    mine = (operator.id, operator.device_generation)
    return next((found for operator_id, generation, found in _read(shown) if (operator_id, generation) == mine), None)


def with_account(shown: str, operator_id: int, generation: int) -> str:
    """Return what a device shows from now on, since somebody signed in to this account on it."""
    entry = [operator_id, generation, secrets.token_urlsafe(MARK_BYTES)]
    others = [other for other in _read(shown) if other[0] != operator_id]
    return str(_serializer().dumps([entry, *others][:MOST_ACCOUNTS]))


def _read(shown: str) -> list[Any]:
    try:
        return list(_serializer().loads(shown, max_age=VALID_SECONDS))
    except BadData:
        return []


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt=SALT)
