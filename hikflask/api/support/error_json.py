"""Refusals as JSON: {"error": code, "message": text} with a matching status, plus "fields" for input."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DataError
from werkzeug.exceptions import HTTPException, InternalServerError, MethodNotAllowed, NotFound, RequestEntityTooLarge

from hikflask import messages
from hikflask.api.support.body import InputError
from hikflask.codes import refusals
from hikflask.disk_space import ERRORS
from hikflask.http import body_limits, permissions
from hikflask.isapi.errors import Refused, TerminalError, spelled
from hikflask.services.core import no_space
from hikflask.services.core.db import end_read
from hikflask.services.core.errors import ServiceError, UnsafePlan

bp = Blueprint("api_errors", __name__, url_prefix="/api")


KEPT_HEADERS = {"WWW-Authenticate", "Retry-After"}


def answer_in_json(blueprint: Blueprint, **always: Any) -> None:
    """Answer all errors of a blueprint's calls in JSON, each with the fields of `always` added."""
    for kind, answer in ANSWERS.items():
        blueprint.register_error_handler(kind, partial(answer, **always))


def refusal(code: str, message: str, status: int, **more: Any) -> tuple[Response, int]:
    """Return an error as JSON."""
    return jsonify({"error": code, "message": message, **more}), status


def _input(error: InputError, **always: Any) -> ResponseReturnValue:
    return refusal(error.code, error.message, HTTPStatus.UNPROCESSABLE_ENTITY, fields=error.fields, **always)


def _service(error: ServiceError, **always: Any) -> ResponseReturnValue:
    message = messages.english(error.code, **error.params)
    names = ["device_id" if name == "terminal_id" else name for name in error.fields]
    fields = {"fields": dict.fromkeys(names, message)} if names else {}
    response, status = refusal(spelled(error.code, {}), message, error.meaning.api_status, **fields, **always)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response, status


def _unsafe(error: UnsafePlan, **always: Any) -> ResponseReturnValue:
    return _service(error, count=error.count, **always)


def _terminal(error: TerminalError, **always: Any) -> ResponseReturnValue:
    message = messages.english(error.code, **{**error.params, "text": error.params["text"] or error.sub_status})
    meaning = refusals.type_of(error.code)
    if meaning.status or not isinstance(error, Refused):
        return refusal(spelled(error.code, error.params), message, meaning.api_status, **always)
    words = {"statusCode": error.status_code, "subStatusCode": error.sub_status, "errorMsg": error.message}
    return refusal("terminal_refused", message, HTTPStatus.BAD_GATEWAY, **words, **always)


def http_refusal(error: HTTPException, **always: Any) -> ResponseReturnValue:
    """Return an HTTP error as JSON, with the headers that tell what to do about it."""
    if isinstance(error, RequestEntityTooLarge):
        body_limits.drain()
    code = error.name.lower().replace(" ", "_")
    response, status = refusal(code, error.description or error.name, error.code or 500, **always)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(error.valid_methods)
    response.headers.extend(header for header in error.get_headers() if header[0] in KEPT_HEADERS)
    return response, status


def _internal(error: InternalServerError, **always: Any) -> ResponseReturnValue:  # noqa: ARG001
    return refusal("internal_error", "Something went wrong here; the log has the details.", 500, **always)


def _not_storable(error: DataError, **always: Any) -> ResponseReturnValue:  # noqa: ARG001
    end_read()
    return refusal(
        "invalid_input", "A text holds a character that cannot be stored.", HTTPStatus.UNPROCESSABLE_ENTITY, **always
    )


def _without_space(error: Exception, **always: Any) -> ResponseReturnValue:
    if refusal := no_space.refusal_of(error):
        return _service(refusal, **always)
    raise error


ANSWERS: dict[type[Exception], Callable[..., ResponseReturnValue]] = {
    HTTPException: http_refusal,
    InternalServerError: _internal,
    DataError: _not_storable,
    InputError: _input,
    ServiceError: _service,
    UnsafePlan: _unsafe,
    TerminalError: _terminal,
    **dict.fromkeys(ERRORS, _without_space),
}


@bp.before_app_request
def answer_unknown() -> ResponseReturnValue | None:
    """Answer an unknown address under /api/ in JSON; it belongs to no blueprint, so no error handler of one sees it."""
    if not permissions.is_api_call():
        return None
    error = request.routing_exception
    if isinstance(error, MethodNotAllowed):
        return http_refusal(error)
    if error is not None:
        return http_refusal(NotFound("There is no such call."))
    if request.method != "OPTIONS":
        return None
    response = current_app.make_default_options_response()
    response.status_code = 204
    del response.headers["Content-Type"]
    return response
