"""Devices on which an operator has signed in before. Wrong passwords there have a count of their own, so that guesses
from elsewhere cannot lock the operator out (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").

A device shows a signed cookie with ids of accounts. There is no secret in it, and it signs nobody in.
"""

import secrets
from typing import Any

from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer

from hikflask.models import Operator

SALT = "device"
NAME_BYTES = 12
VALID_SECONDS = 180 * 24 * 3600
# On a shared computer the last ten accounts are remembered. Each takes about 35 characters of the cookie.
MAX_ACCOUNTS = 10


def device_of(cookie: str, operator: Operator | None) -> str | None:
    """Return the name under which tries from this device are counted; None when the account was never signed in there.

    :param cookie: what with_account() returned for this device; anything else counts as empty.
    """
    if operator is None:
        return None
    wanted = (operator.id, operator.device_generation)
    return next((name for operator_id, generation, name in _read(cookie) if (operator_id, generation) == wanted), None)


def with_account(cookie: str, operator_id: int, generation: int) -> str:
    """Return the device's cookie with one more account, after a sign-in.

    :param generation: of the account's known devices. A higher one makes all its devices unknown again.
    """
    entry = [operator_id, generation, secrets.token_urlsafe(NAME_BYTES)]
    rest = [entry for entry in _read(cookie) if entry[0] != operator_id]
    return str(_serializer().dumps([entry, *rest][:MAX_ACCOUNTS]))


def _read(cookie: str) -> list[Any]:
    try:
        return list(_serializer().loads(cookie, max_age=VALID_SECONDS))
    except BadData:
        return []


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt=SALT)
