"""The health check, for monitoring."""

from http import HTTPStatus

from flask import Blueprint
from flask.typing import ResponseReturnValue

from hikflask.http.permissions import public
from hikflask.services.core.db import database_answers

bp = Blueprint("health", __name__)


@bp.get("/health")
@public
def show() -> ResponseReturnValue:
    """Tell that the server answers and reaches its database."""
    if not database_answers():
        return {"status": "error"}, HTTPStatus.SERVICE_UNAVAILABLE
    return {"status": "ok"}
