"""The health checks, for monitoring: they tell that something is wrong, and no more."""

from http import HTTPStatus

from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from hikflask.extensions import task_queue
from hikflask.http.permissions import public
from hikflask.services.core import heartbeat
from hikflask.services.core.db import database_answers

bp = Blueprint("health", __name__)
OK, ERROR = "ok", "error"


@bp.get("/health")
@public
def show() -> ResponseReturnValue:
    """Tell that the process answers. A database that is away is no reason to start it again."""
    return {"status": OK}


@bp.get("/health/ready")
@public
def ready() -> ResponseReturnValue:
    """Tell whether all that the work needs is there: the database, the queue, and a worker that is running."""
    found = {"database": database_answers(), "queue": task_queue.answers(), "worker": _worker_runs()}
    all_there = all(found.values())
    words = {name: OK if is_there else ERROR for name, is_there in {"status": all_there, **found}.items()}
    return words, HTTPStatus.OK if all_there else HTTPStatus.SERVICE_UNAVAILABLE


def _worker_runs() -> bool:
    """True when a worker was seen lately; False also when the database does not tell."""
    try:
        return heartbeat.alive()
    except SQLAlchemyError:
        return False
