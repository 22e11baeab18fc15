"""Whether a worker is running: each worker writes its heartbeat with every sweep."""

import os
import socket

from flask import current_app
from sqlalchemy import Float, bindparam, delete, exists, select, update

from hikflask.extensions import db
from hikflask.models import Heartbeat
from hikflask.models.columns import database_now
from hikflask.services.core.db import changed_rows, transaction

# How long the row of a worker that ended without a word is kept, in seconds.
FORGOTTEN_AFTER = 24 * 3600.0
# Made once, as each page asks it: to make a statement costs more than to run it.
IS_ALIVE = select(
    exists().where(
        Heartbeat.seen_at.between(
            database_now(bindparam("from", type_=Float)), database_now(bindparam("until", type_=Float))
        )
    )
)


def name() -> str:
    """Return this worker's name: host and process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def beat(worker: str) -> None:
    """Record that this worker is running."""
    with transaction(alone=True):
        if not changed_rows(update(Heartbeat).where(Heartbeat.worker == worker).values(seen_at=database_now())):
            db.session.add(Heartbeat(worker=worker, seen_at=database_now()))
            db.session.execute(delete(Heartbeat).where(Heartbeat.seen_at < database_now(-FORGOTTEN_AFTER)))


def leave(worker: str) -> None:
    """Delete the heartbeat of this worker, which ends."""
    with transaction(alone=True):
        db.session.execute(delete(Heartbeat).where(Heartbeat.worker == worker))


def alive() -> bool:
    """Return True when a worker gave a sign within the last three sweeps, or ten seconds if that is longer."""
    silence = max(10.0, 3 * current_app.config["SWEEP_INTERVAL"])
    return bool(db.session.execute(IS_ALIVE, {"from": -silence, "until": silence}).scalar_one())
