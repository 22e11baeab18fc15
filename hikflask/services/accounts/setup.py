"""Creates the first administrator by a code that is written to the log.

The code is made from the secret key, so all processes of one installation show and accept the same code.
"""

import base64
import hashlib
import hmac
from textwrap import wrap

from flask import current_app

from hikflask.models import Operator
from hikflask.services.accounts import operators, rate_limit
from hikflask.services.accounts.errors import OperatorsExist
from hikflask.services.core.errors import ServiceError

CODE_BYTES = 10
TRIES = 10
WINDOW_SECONDS = 900.0


def code() -> str:
    """Return the code: 16 letters and digits in groups of four (80 bits)."""
    secret = str(current_app.config["SECRET_KEY"]).encode()
    digest = hmac.new(secret, b"first administrator", hashlib.sha256).digest()[:CODE_BYTES]
    text = base64.b32encode(digest).decode()
    return "-".join(wrap(text, 4))


def create_administrator(typed: str, name: str, password: str, address: str) -> Operator:
    """Create the first administrator.

    :param typed: the code, with or without its dashes. :param address: network address of the browser.
    :raises OperatorsExist: when there is an operator already. :raises code_wrong: :raises TooOften:
    :raises password_common: :raises name_reserved: when the name would read like somebody else's in the audit trail.
    """
    if operators.exist():
        raise OperatorsExist
    rate_limit.count_try(f"first-run:{rate_limit.place_of(address)}", TRIES, WINDOW_SECONDS)
    if not hmac.compare_digest(_plain(typed), _plain(code())):
        raise ServiceError("code_wrong")
    return operators.create_first(name, password)


def _plain(text: str) -> bytes:
    return "".join(letter for letter in text.upper() if letter.isalnum()).encode()
