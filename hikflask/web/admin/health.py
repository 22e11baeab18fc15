"""The health checks, for monitoring: they answer that something is wrong, and no more.

Of a full disk they tell the folder and the free bytes, too: whoever watches the service must know where to make room.
"""

import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, current_app
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from hikflask.extensions import task_queue
from hikflask.http.permissions import public
from hikflask.services.core import heartbeat, no_space
from hikflask.services.core.db import database_answers
from hikflask.services.photos import lost_files
from hikflask.services.settings import stored

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

bp = Blueprint("health", __name__)
log = logging.getLogger(__name__)
OK, ERROR = "ok", "error"
# What the log says of a part that fails.
FAILURES = {
    "database": "the database does not answer",
    "queue": "the storage of the queue does not answer",
    "worker": "no worker is running",
    "disk": "the disk is full",
    "photos": "the files of photos are missing",
}


def register(app: Flask) -> None:
    """Answer the health checks without reading the settings that were changed on a page."""
    serve = app.wsgi_app

    def without_settings(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith("/health"):
            return serve(environ, start_response)
        # Flask signals an app context before it has the request, so the path is compared here.
        with stored.not_read():
            return serve(environ, start_response)

    app.wsgi_app = without_settings  # type: ignore[method-assign]


@bp.get("/health")
@public
def show() -> ResponseReturnValue:
    """Answer that the process runs. A database that is away is no reason to start it again."""
    return {"status": OK}


@bp.get("/health/ready")
@public
def ready() -> ResponseReturnValue:
    """Answer whether all that the work needs is there: the database, the queue, a running worker, space, photos."""
    database, worker, photos = database_answers(), False, False
    if database:  # A silent one is not asked twice.
        with suppress(SQLAlchemyError):
            worker = heartbeat.alive()
            photos = not lost_files.most_are_lost()
    full = no_space.full_disk()
    parts = {
        "database": database, "queue": task_queue.answers(), "worker": worker, "disk": full is None, "photos": photos,
    }  # fmt: skip
    _log_changes(parts)
    is_ready = all(parts.values())
    words = {name: OK if is_good else ERROR for name, is_good in {"status": is_ready, **parts}.items()}
    about = {"no_space_left": {"path": str(full.folder), "free_bytes": full.free}} if full else {}
    return words | about, HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE


def _log_changes(parts: Mapping[str, bool]) -> None:
    """Log when a part begins to fail, and when it is well again. Monitoring asks all the time, so not each answer."""
    failing: set[str] = current_app.extensions.setdefault("failing_parts", set())
    for name, is_good in parts.items():
        if not is_good and name not in failing:
            failing.add(name)
            log.warning("not ready: %s", FAILURES[name])
        elif is_good and name in failing:
            failing.discard(name)
            log.warning("well again: %s", name)
