"""For whatever watches the server."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from hikflask.http.permissions import public
from hikflask.services.core.db import database_answers

bp = Blueprint("health", __name__)


@bp.get("/health")
@public
def show() -> ResponseReturnValue:
    """Say that pages and database work."""
    if not database_answers():
        return {"status": "error"}, 503
    return {"status": "ok"}
