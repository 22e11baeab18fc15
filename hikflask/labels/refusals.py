"""The sentence for a refusal, as it was raised or as a row stores it."""

from typing import Any

from hikflask import messages
from hikflask.isapi.errors import TerminalError
from hikflask.labels.actors import actor_name
from hikflask.models.refusal import Refusal
from hikflask.services.core.errors import ServiceError, refusal_of


def refusal_sentence(refusal: Refusal | None, **about: Any) -> str:
    """Return the sentence of a refusal; `about` has values that it may lack, such as its terminal (t, address)."""
    if refusal is None:
        return ""
    params = {**about, **refusal["params"]}
    if "who" in params:
        params["who"] = actor_name(params["who"])
    return messages.sentence(refusal["code"], **params)


def error_sentence(error: ServiceError | TerminalError, **about: Any) -> str:
    """Return the sentence of a refusal that was raised; `about` as in refusal_sentence()."""
    return refusal_sentence(refusal_of(error), **about)
