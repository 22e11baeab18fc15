"""The page that shows an error, or its message alone in an answer to htmx."""

from http import HTTPStatus

from flask import Response, g, make_response, render_template
from flask_babel import gettext as _

from hikflask.services.accounts.errors import TryLater
from hikflask.services.core import refusal_rules
from hikflask.web.support import htmx


def error_page(status: int, text: str, template: str = "errors/page.html", again: str = "") -> Response:
    """Answer an error.

    :param again: the address of the page to try again on, where that helps.
    """
    values = {"status": int(status), "text": text, "again": again, "request_id": g.get("request_id")}
    if htmx.wants_fragment():
        return htmx.retargeted(render_template("errors/_message.html", **values), "#problem", status, swap="innerHTML")
    return make_response(render_template(template, **values), status)


def with_retry_after(response: Response, error: TryLater) -> Response:
    """Return the response with the status of a temporary refusal, and the header for the time of the next try."""
    response.status_code = refusal_rules.page_status(error.code)
    response.headers["Retry-After"] = str(error.params["seconds"])
    return response


def status_sentence(status: int) -> str:
    """Return what was wrong and what to do, by the HTTP status alone."""
    sentences: dict[int, str] = {
        HTTPStatus.BAD_REQUEST: _("The request is not complete. Go back and try again."),
        HTTPStatus.UNAUTHORIZED: _("Sign in first."),
        HTTPStatus.FORBIDDEN: _("You don't have permission. Ask an administrator."),
        HTTPStatus.NOT_FOUND: _("There is no such page. It may have been deleted."),
        HTTPStatus.METHOD_NOT_ALLOWED: _("This address is not a page. Start from the list of employees."),
        HTTPStatus.CONFLICT: _("This was changed meanwhile. Look again, please."),
        HTTPStatus.TOO_MANY_REQUESTS: _("Too many requests. Wait a minute and try again."),
        HTTPStatus.UNPROCESSABLE_ENTITY: _("Something in the request is not right. Go back and correct it."),
    }
    return str(sentences.get(status, _("The request cannot be answered.")))
