"""Puts the settings that an administrator changed into force: current_app.config has them, in every process.

Each process reads the table when a request, a job or a command begins, but not again within two seconds. That is one
small statement in two seconds for the whole process, before any transaction is open.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask, appcontext_pushed, current_app
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from hikflask.config import ENVIRONMENT, SETTINGS, contradiction
from hikflask.extensions import db
from hikflask.models import ChangedSetting

log = logging.getLogger(__name__)
EVERY_SECONDS = 2.0
IS_LEFT_ALONE: ContextVar[bool] = ContextVar("settings_left_alone", default=False)
CHANGED = select(ChangedSetting.name, ChangedSetting.value).order_by(ChangedSetting.name)


@dataclass
class Stored:
    """What one app knows of the table: when it looked, what it found, and the values that hold without it."""

    without: dict[str, Any]
    found: dict[str, str] = field(default_factory=dict)
    looked_at: float = float("-inf")


def init_app(app: Flask) -> None:
    """Let the app look into the table whenever a request, a job or a command begins."""
    sources = app.config["SETTING_SOURCES"]
    may_change = (name for name, setting in SETTINGS.items() if setting.decided and sources[name] != ENVIRONMENT)
    app.extensions["stored_settings"] = Stored({name: app.config[name] for name in may_change})
    appcontext_pushed.connect(_look, app)


def of_app() -> Stored:
    """Return what the current app knows."""
    found: Stored = current_app.extensions["stored_settings"]
    return found


def look_now() -> None:
    """Put what is in the table into force in this process, whenever it looked last."""
    of_app().looked_at = float("-inf")
    _look(current_app)


@contextmanager
def left_alone() -> Iterator[None]:
    """Within this, nobody looks into the table: for what must be answered while the database is silent."""
    token = IS_LEFT_ALONE.set(True)
    try:
        yield
    finally:
        IS_LEFT_ALONE.reset(token)


def in_force(found: Mapping[str, str], without: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that hold with these texts in the table.

    A text that this version cannot read, or that contradicts what was set on the machine since, is left out.

    :param without: the settings that may change, as they are without the table. :param config: all settings.
    """
    values = dict(without)
    for name in found.keys() & without.keys():
        values[name] = _read(name, found[name], without[name])
    wrong = contradiction({**config, **values})
    if wrong:
        log.warning("What was set on the page is left out: %s", wrong.text)
        values |= {name: without[name] for name in wrong.names if name in without}
    return values


def _read(name: str, text: str, otherwise: Any) -> Any:
    try:
        return SETTINGS[name].read(text)
    except (TypeError, ValueError):
        log.warning("What was set on the page is left out: %s must be %s.", name, SETTINGS[name].allowed)
        return otherwise


def _look(app: Flask, **_: object) -> None:
    stored: Stored = app.extensions["stored_settings"]
    now = time.monotonic()
    if IS_LEFT_ALONE.get() or now - stored.looked_at < EVERY_SECONDS:
        return
    stored.looked_at = now
    if not _is_there():
        return
    try:
        with db.engine.connect() as connection:
            found = {name: text for name, text in connection.execute(CHANGED)}
    except SQLAlchemyError:
        # No tables yet, or the database is away: whoever needs it says so. What was read before holds.
        return
    if found != stored.found:
        app.config.update(in_force(found, stored.without, app.config))
        stored.found = found


def _is_there() -> bool:
    """True unless a file of SQLite is still to be made: to look into it would make an empty one."""
    file = db.engine.url.database
    return db.engine.dialect.name != "sqlite" or not file or Path(file).exists()
