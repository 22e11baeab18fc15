"""The secret of a second factor while it is set up.

It is in the browser's session, encrypted, until a code shows that the app has it and the session gets a new key. So
the page shows the same QR code when it is opened again.
"""

from flask import session

from hikflask.services.accounts import second_factor
from hikflask.web.security import current_operator

KEY = "factor"


def present() -> str:
    """Return the secret that the page shows; a new one, unless one is being set up."""
    secret = second_factor.unsealed(session[KEY]) if KEY in session else None
    if not secret:
        secret = second_factor.new_secret()
        session[KEY] = second_factor.sealed(secret)
    return secret


def shown() -> dict[str, str]:
    """Return what the page shows: the QR code as the address of a picture, and the secret in groups of four letters."""
    import segno

    secret = present()
    address = second_factor.address_of(secret, current_operator.operator_name())
    picture = segno.make(address, error="m").svg_data_uri(scale=5, light="white")
    return {"picture": picture, "secret": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))}
