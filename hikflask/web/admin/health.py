"""The health checks, for monitoring: they tell that something is wrong, and no more."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint, Flask
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from hikflask.extensions import task_queue
from hikflask.http.permissions import public
from hikflask.services.core import heartbeat
from hikflask.services.core.db import database_answers
from hikflask.services.settings import stored

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

bp = Blueprint("health", __name__)
OK, ERROR = "ok", "error"


def register(app: Flask) -> None:
    """Let the health checks answer without a look at the settings that were changed on a page."""
    serve = app.wsgi_app

    def without_settings(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith("/health"):
            return serve(environ, start_response)
        # Flask tells of an app context before it has the request, so the path is looked at here.
        with stored.left_alone():
            return serve(environ, start_response)

    app.wsgi_app = without_settings  # type: ignore[method-assign]


@bp.get("/health")
@public
def show() -> ResponseReturnValue:
    """Tell that the process answers. A database that is away is no reason to start it again."""
    return {"status": OK}


@bp.get("/health/ready")
@public
def ready() -> ResponseReturnValue:
    """Tell whether all that the work needs is there: the database, the queue, and a worker that is running."""
    database = database_answers()
    # Who does not answer is not asked twice.
    found = {"database": database, "queue": task_queue.answers(), "worker": database and _worker_runs()}
    all_there = all(found.values())
    words = {name: OK if is_there else ERROR for name, is_there in {"status": all_there, **found}.items()}
    return words, HTTPStatus.OK if all_there else HTTPStatus.SERVICE_UNAVAILABLE


def _worker_runs() -> bool:
    """True when a worker was seen lately; False also when the database does not tell."""
    try:
        return heartbeat.alive()
    except SQLAlchemyError:
        return False
