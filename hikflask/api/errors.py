"""Refusals as JSON: {"error": code, "message": text} with a matching status, plus "fields" for input."""

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DataError
from werkzeug.exceptions import (
    HTTPException,
    InternalServerError,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
)

from hikflask import messages
from hikflask.api.body import InputError
from hikflask.extensions import db
from hikflask.http import body_limits, permissions
from hikflask.isapi.errors import Refused, TerminalError
from hikflask.services.core.errors import ServiceError

bp = Blueprint("api_errors", __name__, url_prefix="/api")


KEPT_HEADERS = {"WWW-Authenticate", "Retry-After"}
NOT_FOUND = 404
UNPROCESSABLE = 422
CONFLICT = 409
TOO_MANY = 429
BAD_GATEWAY = 502
AWAY = 503
NOBODY_CAME = 504

STATUS = {
    "number_known": CONFLICT,
    "number_enrolled": CONFLICT,
    "number_leaving": CONFLICT,
    "employee_inactive": CONFLICT,
    "employee_unknown": NOT_FOUND,
    "terminal_name_known": CONFLICT,
    "terminal_has_people": CONFLICT,
    "terminal_in_use": CONFLICT,
    "terminal_retired": CONFLICT,
    "terminal_held": CONFLICT,
    "capture_running": CONFLICT,
    "too_many_calls": TOO_MANY,
    "server_busy": AWAY,
    "superseded": CONFLICT,
    "capture_of_another": CONFLICT,
    "not_saved": CONFLICT,
    "photo_forgotten": CONFLICT,
    "cancelled": CONFLICT,
    "file_gone": CONFLICT,
    "employeeNoAlreadyExist": CONFLICT,
    "enrolment_unknown": CONFLICT,
    "consent_missing": CONFLICT,
    "terminal_unknown": UNPROCESSABLE,
    "terminal_not_named": UNPROCESSABLE,
    "terminal_address_refused": UNPROCESSABLE,
    "terminal_https_required": UNPROCESSABLE,
    "terminal_password_needed": UNPROCESSABLE,
    "name_bytes": UNPROCESSABLE,
    "photo_unreadable": UNPROCESSABLE,
    "photo_too_large": UNPROCESSABLE,
    "photo_too_many_pixels": UNPROCESSABLE,
    "wrong_password": BAD_GATEWAY,
    "locked": BAD_GATEWAY,
    "person_not_verified": BAD_GATEWAY,
    "name_not_verified": BAD_GATEWAY,
    "face_not_verified": BAD_GATEWAY,
    "removal_not_verified": BAD_GATEWAY,
    "other_device": CONFLICT,
    "address_refused": BAD_GATEWAY,
    "https_required": BAD_GATEWAY,
    "weak_digest": BAD_GATEWAY,
    "certificate_changed": BAD_GATEWAY,
    "captureTimeout": NOBODY_CAME,
    "photos_waiting": AWAY,
    "unreachable": AWAY,
    "no_answer": AWAY,
    "lease_lost": AWAY,
    "wish_changed": AWAY,
    "interrupted": AWAY,
    "no_worker": AWAY,
}


def answer_in_json(blueprint: Blueprint, **always: Any) -> None:
    """Make all refusals of a blueprint's calls JSON, each with what is `always` said beside."""
    for kind, answer in ANSWERS.items():
        blueprint.register_error_handler(kind, partial(answer, **always))


def status_of(code: str) -> int:
    """The status of a code: what we refuse by the table, what the terminal refuses as 502."""
    return STATUS.get(code, BAD_GATEWAY)


def refusal(code: str, message: str, status: int, **more: Any) -> tuple[Response, int]:
    """Return the error's JSON."""
    return jsonify({"error": code, "message": message, **more}), status


def _input(error: InputError, **always: Any) -> ResponseReturnValue:
    return refusal(error.code, error.message, UNPROCESSABLE, fields=error.fields, **always)


def _service(error: ServiceError, **always: Any) -> ResponseReturnValue:
    message = messages.english(error.code, **error.params)
    fields = {"fields": {_api_name(name): message for name in error.fields}} if error.fields else {}
    response, status = refusal(error.code, message, status_of(error.code), **fields, **always)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response, status


def _api_name(name: str) -> str:
    return "device_id" if name == "terminal_id" else name


def _terminal(error: TerminalError, **always: Any) -> ResponseReturnValue:
    message = messages.english(error.code, text=error.text or error.sub_status)
    if error.code in STATUS or not isinstance(error, Refused):
        return refusal(error.code, message, status_of(error.code), **always)
    words = {"statusCode": error.status_code, "subStatusCode": error.sub_status, "errorMsg": error.message}
    return refusal("terminal_refused", message, BAD_GATEWAY, **words, **always)


def http_refusal(error: HTTPException, **always: Any) -> ResponseReturnValue:
    """Return the JSON of an HTTP error, with the headers that say what to do about it."""
    if isinstance(error, RequestEntityTooLarge):
        body_limits.take_rest()
    code = error.name.lower().replace(" ", "_")
    response, status = refusal(code, error.description or error.name, error.code or 500, **always)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(error.valid_methods)
    response.headers.extend(header for header in error.get_headers() if header[0] in KEPT_HEADERS)
    return response, status


def _internal(error: InternalServerError, **always: Any) -> ResponseReturnValue:  # noqa: ARG001
    return refusal("internal_error", "Something went wrong here; the log has the details.", 500, **always)


def _not_storable(error: DataError, **always: Any) -> ResponseReturnValue:  # noqa: ARG001
    db.session.rollback()
    return refusal("invalid_input", "A text holds a character that cannot be stored.", UNPROCESSABLE, **always)


ANSWERS: dict[type[Exception], Callable[..., ResponseReturnValue]] = {
    HTTPException: http_refusal,
    InternalServerError: _internal,
    DataError: _not_storable,
    InputError: _input,
    ServiceError: _service,
    TerminalError: _terminal,
}


@bp.before_app_request
def answer_unknown() -> ResponseReturnValue | None:
    """Answer in JSON what is no call; such an address is in no blueprint, so that no handler of one would see it."""
    if not permissions.is_api_call():
        return None
    error = request.routing_exception
    if isinstance(error, MethodNotAllowed):
        return http_refusal(error)
    if error is not None:
        return http_refusal(NotFound("There is no such call."))
    return _options() if request.method == "OPTIONS" else None


def _options() -> Response:
    response = current_app.make_default_options_response()
    response.status_code = 204
    del response.headers["Content-Type"]
    return response
