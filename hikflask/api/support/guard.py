"""Checks the token and the role of each call; a session opens those alone that say so (web/security/guard.py)."""

from flask import Flask, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden, HTTPException

from hikflask.api.support import error_json
from hikflask.http import bearer_token, body_limits, permissions
from hikflask.services import audit


def register(app: Flask) -> None:
    """Run the check before everything else that reads a call."""
    app.before_request(admit)


def admit() -> ResponseReturnValue | None:
    """Return the refusal of a call in JSON, or None when the call may go on."""
    if not permissions.is_api_call() or permissions.is_open_by_session():
        return None
    if request.routing_exception is None:
        _refuse_unauthorized()
        return None
    # An unknown address belongs to no blueprint, so no error handler of one would answer in JSON.
    try:
        _refuse_unauthorized()
    except HTTPException as error:
        return error_json.http_refusal(error)
    return None


def _refuse_unauthorized() -> None:
    token = bearer_token.authenticate()
    bearer_token.begin(token)
    if request.routing_exception is not None or request.method == "OPTIONS":
        return
    rule = permissions.rule()
    if rule is None or rule.role is None or not permissions.may(token.role, rule.role):
        audit.record_refused_access(f"{request.method} {request.path}")
        raise Forbidden("This token's role may not do this.")
    body_limits.apply_view_limit()
