"""A refusal for now as an answer, and a link after a sentence."""

from flask import Response
from markupsafe import Markup

from hikflask.http import error_status
from hikflask.services.accounts.errors import TryLater


def with_retry_after(response: Response, error: TryLater) -> Response:
    """Give an answer the status of a refusal for now, and the header that says when to try again."""
    response.status_code = error_status.for_page(error.code)
    response.headers["Retry-After"] = str(error.params["seconds"])
    return response


def with_link(text: str, address: str, label: str) -> Markup:
    """Return a sentence for flash() that ends with a link."""
    return Markup('{} <a href="{}">{}</a>').format(text, address, label)
