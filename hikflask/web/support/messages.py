"""The sentence that a page shows for a refusal, and the answer's status beside it."""

from typing import Any

from flask import Response
from markupsafe import Markup

from hikflask import messages
from hikflask.http import error_status
from hikflask.isapi.errors import TerminalError
from hikflask.services.accounts.errors import TryLater
from hikflask.services.core.errors import ServiceError
from hikflask.web.support.actor_names import actor


def error_sentence(error: ServiceError | TerminalError, **about: Any) -> str:
    """Return the sentence of a refusal; `about` says which terminal it was (t, address)."""
    params = error.params if isinstance(error, ServiceError) else {"text": error.text}
    if "who" in params:
        params = {**params, "who": actor(params["who"])}
    return messages.sentence(error.code, **{**about, **params})


def with_retry_after(response: Response, error: TryLater) -> Response:
    """Give an answer the status of a refusal for now, and the header that says when to try again."""
    response.status_code = error_status.for_page(error.code)
    response.headers["Retry-After"] = str(error.params["seconds"])
    return response


def with_link(text: str, address: str, label: str) -> Markup:
    """Return a sentence for flash() that ends with a link."""
    return Markup('{} <a href="{}">{}</a>').format(text, address, label)
