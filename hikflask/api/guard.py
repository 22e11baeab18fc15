"""Asks each call for its token, and whether that token may; no cookie is read here."""

from flask import Flask, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden, HTTPException

from hikflask.api import errors
from hikflask.http import bearer_token, permissions
from hikflask.services import audit


def register(app: Flask) -> None:
    """Put the guard before everything else that looks at a call."""
    app.before_request(admit)


def admit() -> ResponseReturnValue | None:
    """Let the call through (None), or answer it in JSON."""
    if not permissions.is_api_call():
        return None
    if request.routing_exception is None:
        _refuse_strangers()
        return None
    # Such an address is in no blueprint, so that no handler of one would see the refusal.
    try:
        _refuse_strangers()
    except HTTPException as error:
        return errors.http_refusal(error)
    return None


def _refuse_strangers() -> None:
    token = bearer_token.token()
    bearer_token.act_as(token)
    if request.routing_exception is not None or request.method == "OPTIONS":
        return
    rule = permissions.rule()
    if rule is None or rule.role is None or not permissions.may(token.role, rule.role):
        audit.note_refused_access(f"{request.method} {request.path}")
        raise Forbidden("This token's role may not do this.")
