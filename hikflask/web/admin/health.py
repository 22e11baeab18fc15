"""For whatever watches the server."""

from http import HTTPStatus

from flask import Blueprint
from flask.typing import ResponseReturnValue

from hikflask.http.permissions import public
from hikflask.services.core import heartbeat

bp = Blueprint("health", __name__)


@bp.get("/health")
@public
def show() -> ResponseReturnValue:
    """Say that pages and database work."""
    if not heartbeat.database_answers():
        return {"status": "error"}, HTTPStatus.SERVICE_UNAVAILABLE
    return {"status": "ok"}
