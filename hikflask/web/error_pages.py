"""A page for each error that no view answers itself."""

from http import HTTPStatus

from flask import Flask, Response, current_app, g, make_response, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError
from werkzeug.exceptions import BadRequest, HTTPException, InternalServerError, RequestEntityTooLarge

from hikflask.disk_space import ERRORS
from hikflask.http import body_limits
from hikflask.http.permissions import OPERATOR
from hikflask.labels import disks
from hikflask.messages import error_sentence
from hikflask.services.accounts.errors import TryLater
from hikflask.services.core import no_space
from hikflask.services.core.db import end_read
from hikflask.services.core.errors import NotFound
from hikflask.web.imports import upload
from hikflask.web.security import current_operator, forgery
from hikflask.web.support.responses import error_page, status_sentence, with_retry_after
from hikflask.web.support.urls import page_before

KEPT_HEADERS = {"Allow", "WWW-Authenticate", "Retry-After"}


def register(app: Flask) -> None:
    """Show a page for each HTTP error, a text that the database refuses, a full disk, NotFound and TryLater."""
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(InternalServerError, internal_error)
    app.register_error_handler(DataError, not_storable)
    for kind in ERRORS:
        app.register_error_handler(kind, without_space)
    app.register_error_handler(NotFound, not_there)
    app.register_error_handler(TryLater, try_later)


def http_error(error: HTTPException) -> Response:
    """Show what was wrong with the request and what to do."""
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if isinstance(error, RequestEntityTooLarge):
        return _too_large()
    if isinstance(error, CSRFError):
        return forgery.answer_without_token()
    if error.response is not None:
        return make_response(error.response)
    response = error_page(status, status_sentence(status))
    response.headers.extend(header for header in error.get_headers() if header[0] in KEPT_HEADERS)
    return response


def internal_error(error: InternalServerError) -> Response:  # noqa: ARG001 - the log has it
    """Show that the fault is ours, and the id under which the log has it."""
    current_app.logger.error("request %s failed", g.get("request_id"))
    text = _("Something went wrong. Nothing that was saved is lost. Try again, or tell the administrator.")
    return error_page(HTTPStatus.INTERNAL_SERVER_ERROR, text, template="errors/internal_error.html")


def not_storable(error: DataError) -> Response:
    """Refuse what a database does not take, such as a zero character in a search."""
    end_read()
    current_app.logger.warning("request %s: %s", g.get("request_id"), type(error.orig).__name__)
    return http_error(BadRequest())


def without_space(error: Exception) -> Response:
    """Say that no space is left. Any other error of these classes is raised again: it is a fault of ours."""
    if not (why := no_space.explain(error)):
        raise error
    current_app.logger.error("%s", why)
    text = _(
        "The server's disk is full, so this may not have been saved. Nothing that was saved before is lost. "
        "Ask the administrator to make room, then try again."
    )
    details = disks.free_label(full) if (full := no_space.full_disk()) else ""
    status = HTTPStatus.INSUFFICIENT_STORAGE
    return error_page(status, text, template="errors/internal_error.html", details=details)


def not_there(error: NotFound) -> Response:
    """Say that somebody deleted the thing while this request was on its way."""
    return error_page(HTTPStatus.NOT_FOUND, error_sentence(error))


def try_later(error: TryLater) -> Response:
    """Say when to come again, where no form is shown once more."""
    status = error.meaning.page_status
    return with_retry_after(error_page(status, error_sentence(error), again=page_before()), error)


def _too_large() -> Response:
    """Show the limit, once the browser has sent the rest: one that is cut off shows no answer at all."""
    body_limits.drain()
    if request.endpoint == "imports.create" and current_operator.may(OPERATOR):
        return upload.too_large()
    text = _("The file is too large: at most 10 MB. Go back, choose a smaller one and save again.")
    if not body_limits.may_bring_file():
        text = status_sentence(HTTPStatus.UNPROCESSABLE_ENTITY)
    return error_page(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text)
