"""How many wrong passwords, and how many sign-ins, are allowed before an account or an address has to wait.

Devices on which an operator has signed in before have a count of their own, so that guesses from elsewhere cannot lock
the operator out (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"). Such a device shows a signed cookie
with ids of accounts. There is no secret in it, and it signs nobody in.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer

from hikflask.models import Operator
from hikflask.services import audit
from hikflask.services.accounts import rate_limit
from hikflask.services.accounts.errors import TooOften

WINDOW_SECONDS = 900.0
# Wrong passwords within the window: for one account from one address, for one account from all unknown devices, and for
# one account from a device on which it was signed in before.
TRIES_BY_PLACE, TRIES_BY_ACCOUNT, TRIES_BY_DEVICE = 10, 20, 10
# Wrong passwords from one address, for any account.
TRIES_BY_ADDRESS = 30
# Sign-ins to one account from one address. No person needs more; a script might never stop.
SIGN_INS = 60
# Passwords asked for again in one session, right or wrong: a right one holds for ten minutes.
CONFIRMATIONS = 10


def tries_of(account: str, place: str, known_device: str | None) -> dict[str, int]:
    """Return the keys that a try is counted under, each with its limit. A known device has a count of its own."""
    if known_device:
        return {f"device:{known_device}": TRIES_BY_DEVICE}
    return {
        f"address:{place}": TRIES_BY_ADDRESS,
        rate_limit.key_at_place(account, place): TRIES_BY_PLACE,
        account: TRIES_BY_ACCOUNT,
    }


def count_tries(tries: Mapping[str, int]) -> None:
    """Count a try under each key. :raises TooOften: when a limit is exceeded."""
    for key, limit in tries.items():
        rate_limit.count_try(key, limit, WINDOW_SECONDS)


def uncount_tries(tries: Iterable[str]) -> None:
    """Do not count a try: it was a successful one."""
    for key in tries:
        rate_limit.uncount_try(key)


@contextmanager
def throttling_recorded(name: str) -> Iterator[None]:
    """Add an audit entry about an operator for the first try too many within the block."""
    try:
        yield
    except TooOften as error:
        # Once in a window, so that nobody can fill the audit trail.
        if error.params["first"]:
            audit.record_alone("sign_in.throttled", subject=name)
        raise


DEVICE_SALT = "device"
DEVICE_NAME_BYTES = 12
DEVICE_SECONDS = 180 * 24 * 3600
# On a shared computer the last ten accounts are remembered. Each takes about 35 characters of the cookie.
MAX_ACCOUNTS = 10


def device_of(cookie: str, operator: Operator | None) -> str | None:
    """Return the name under which tries from this device are counted; None when the account was never signed in there.

    :param cookie: what with_account() returned for this device; anything else counts as empty.
    """
    if operator is None:
        return None
    wanted = (operator.id, operator.device_generation)
    return next(
        (name for operator_id, generation, name in _accounts_in(cookie) if (operator_id, generation) == wanted), None
    )


def with_account(cookie: str, operator_id: int, generation: int) -> str:
    """Return the device's cookie with one more account, after a sign-in.

    :param generation: of the account's known devices. A higher one makes all its devices unknown again.
    """
    entry = [operator_id, generation, secrets.token_urlsafe(DEVICE_NAME_BYTES)]
    rest = [entry for entry in _accounts_in(cookie) if entry[0] != operator_id]
    return str(_serializer().dumps([entry, *rest][:MAX_ACCOUNTS]))


def _accounts_in(cookie: str) -> list[Any]:
    try:
        return list(_serializer().loads(cookie, max_age=DEVICE_SECONDS))
    except BadData:
        return []


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt=DEVICE_SALT)
