"""The first administrator may be made on a page, by whoever can read the log: it shows a code that works once.

The code comes from the secret key, so that all processes of one installation show and take the same one.
"""

import base64
import hashlib
import hmac

from flask import current_app

from hikflask.models import Operator
from hikflask.services.accounts import operators, rate_limit
from hikflask.services.accounts.errors import CodeWrong, OperatorsExist

CODE_BYTES = 10
TRIES = 10
WINDOW_SECONDS = 900.0


def code() -> str:
    """Return the code: 16 letters and digits in groups of four (80 bits)."""
    secret = str(current_app.config["SECRET_KEY"]).encode()
    digest = hmac.new(secret, b"first administrator", hashlib.sha256).digest()[:CODE_BYTES]
    text = base64.b32encode(digest).decode()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def create_administrator(given: str, name: str, password: str, address: str) -> Operator:
    """Add the first administrator.

    :raises OperatorsExist: when there is somebody already. :raises CodeWrong: :raises TooOften: :raises WeakPassword:
    :raises NameReserved: when the audit trail could not tell who it is.
    """
    if operators.exist():
        raise OperatorsExist
    rate_limit.take(f"first-run:{rate_limit.place(address)}", TRIES, WINDOW_SECONDS)
    if not hmac.compare_digest(_plain(given), _plain(code())):
        raise CodeWrong
    return operators.create_first(name, password)


def _plain(text: str) -> bytes:
    return "".join(letter for letter in text.upper() if letter.isalnum()).encode()
