"""Answers a form with a refusal, and a page with a secret that is shown once."""

from collections.abc import Callable
from http import HTTPStatus

from flask import Response, make_response, render_template
from wtforms import Field

from hikflask.messages import error_sentence
from hikflask.services.accounts.errors import TryLater
from hikflask.services.core.errors import ServiceError
from hikflask.web.support.error_page import with_retry_after


def show_refusal(
    field: Field, error: ServiceError, page: Callable[[int], Response], status: int = HTTPStatus.UNPROCESSABLE_ENTITY
) -> Response:
    """Answer a form with a refusal at one of its fields; a refusal for now says when to try again.

    :param page: answers the form with a status.
    """
    field.errors = [error_sentence(error)]
    response = page(status)
    return with_retry_after(response, error) if isinstance(error, TryLater) else response


def shown_once(template: str, status: int = HTTPStatus.OK, **context: object) -> Response:
    """Answer a page with a secret, which no browser keeps."""
    response = make_response(render_template(template, **context), status)
    response.headers["Cache-Control"] = "no-store"
    return response
