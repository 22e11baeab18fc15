"""Why something was not done, as a row stores it."""

from typing import Any

from hikflask.models.refusal import Refusal


def refusal(code: str, **params: Any) -> Refusal:
    """Return the refusal with this code, in lower case, and the values of its sentence."""
    return Refusal(code=code, params=params)
