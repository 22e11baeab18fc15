"""Error pages, and the sentence and status of what a service or a terminal refused."""

from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, g, make_response, render_template
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError
from werkzeug.exceptions import BadRequest, HTTPException, InternalServerError, RequestEntityTooLarge

from hikflask import messages
from hikflask.extensions import db
from hikflask.http import body_limits, error_status
from hikflask.isapi.errors import TerminalError
from hikflask.services.accounts.errors import TryLater
from hikflask.services.core.errors import EmployeeUnknown, ServiceError
from hikflask.web.security import password_prompt
from hikflask.web.support import htmx
from hikflask.web.support.actor_names import actor
from hikflask.web.support.urls import page_before

KEPT_HEADERS = {"Allow", "WWW-Authenticate", "Retry-After"}


def register(app: Flask) -> None:
    """Show a page for each HTTP error."""
    app.register_error_handler(HTTPException, refused)
    app.register_error_handler(InternalServerError, failed)
    app.register_error_handler(DataError, not_storable)
    app.register_error_handler(EmployeeUnknown, not_there)
    app.register_error_handler(TryLater, not_now)


def status_of(error: ServiceError) -> int:
    """Return the HTTP status of a refusal."""
    return error_status.for_page(error.code)


def said(error: ServiceError | TerminalError, **about: Any) -> str:
    """Return the sentence of a refusal; `about` says which terminal it was (t, address)."""
    params = error.params if isinstance(error, ServiceError) else {"text": error.text}
    if "who" in params:
        params = {**params, "who": actor(params["who"])}
    return messages.sentence(error.code, **{**about, **params})


def refused(error: HTTPException) -> Response:
    """Show what was wrong with the request and what to do."""
    status = error.code or 500
    if isinstance(error, RequestEntityTooLarge):
        return _too_large()
    if isinstance(error, CSRFError):
        return _token_lost(status)
    if error.response is not None:
        return make_response(error.response)
    response = _page(status, _sentence(status))
    response.headers.extend(header for header in error.get_headers() if header[0] in KEPT_HEADERS)
    return response


def failed(error: InternalServerError) -> Response:  # noqa: ARG001 - the log has it
    """Show that the fault is ours, and the id under which the log has it."""
    current_app.logger.error("request %s failed", g.get("request_id"))
    text = _("Something went wrong here. Nothing that was saved is lost. Try again, or tell the administrator.")
    return _page(500, text, template="errors/failed.html")


def not_storable(error: DataError) -> Response:
    """Refuse what a database does not take, such as a zero character in a search."""
    db.session.rollback()
    current_app.logger.warning("request %s: %s", g.get("request_id"), type(error.orig).__name__)
    return refused(BadRequest())


def _token_lost(status: int) -> Response:
    """Show the form again, else the way back to it; htmx gets a fresh token for the form that is still there."""
    again = password_prompt.token_lost()
    if again is not None:
        return again
    if not htmx.wants_fragment():
        text = _("The page was open for too long, or cookies are off. Open it again and press the button once more.")
        return _page(status, text, again=page_before())
    answer = _page(status, _("The page was open for too long, or cookies are off. Nothing typed is lost: try again."))
    answer.set_data(answer.get_data(as_text=True) + render_template("errors/_token.html"))
    return answer


def not_there(error: EmployeeUnknown) -> Response:
    """Say that somebody deleted the employee between this request's first look and its deed."""
    return _page(HTTPStatus.NOT_FOUND, said(error))


def later(response: Response, error: TryLater) -> Response:
    """Give an answer the status of a refusal for now, and say in it when the next try counts."""
    response.status_code = status_of(error)
    response.headers["Retry-After"] = str(error.params["seconds"])
    return response


def not_now(error: TryLater) -> Response:
    """Say when to come again, where no form is shown once more."""
    return later(_page(status_of(error), said(error), again=page_before()), error)


def _too_large() -> Response:
    """Show the limit, once the browser has sent the rest: one that is cut off shows no answer at all."""
    body_limits.take_rest()
    if not body_limits.may_bring_file():
        return _page(413, _sentence(422))
    return _page(413, _("The file is too large: at most 10 MB. Go back, choose a smaller one and save again."))


def _sentence(status: int) -> str:
    sentences = {
        400: _("The request is not complete. Go back and try again."),
        401: _("Sign in first."),
        403: _("You may not do this. Ask an administrator."),
        404: _("There is no such page. It may have been deleted."),
        405: _("This address is not a page. Start from the list of employees."),
        409: _("This was changed meanwhile. Look again, please."),
        429: _("Too many requests. Wait a minute and try again."),
        422: _("Something in the request is not right. Go back and correct it."),
    }
    return str(sentences.get(status, _("The request cannot be answered.")))


def _page(status: int, text: str, template: str = "errors/page.html", again: str = "") -> Response:
    known = {"status": status, "text": text, "again": again, "request_id": g.get("request_id")}
    if htmx.wants_fragment():
        return htmx.retargeted(render_template("errors/_note.html", **known), "#problem", status, swap="innerHTML")
    return make_response(render_template(template, **known), status)
