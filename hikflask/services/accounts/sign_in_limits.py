"""How many wrong passwords, and how many sign-ins, are allowed before an account or an address has to wait."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

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
