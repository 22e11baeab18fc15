"""For whatever watches the server."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from hikflask.access import public
from hikflask.services import workers

bp = Blueprint("health", __name__)


@bp.get("/health")
@public
def show() -> ResponseReturnValue:
    """Say that pages and database work."""
    if not workers.database_answers():
        return {"status": "error"}, 503
    return {"status": "ok"}
