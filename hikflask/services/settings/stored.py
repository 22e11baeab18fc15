"""Puts the settings that an administrator changed into force: current_app.config has them, in every process.

Each process reads the table when a request, a job or a command begins, but not again within two seconds. That is one
small statement in two seconds for the whole process, before any transaction is open.
"""

import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, appcontext_pushed, current_app
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from hikflask.config import ENVIRONMENT, SETTINGS, contradiction
from hikflask.extensions import db
from hikflask.models import ChangedSetting

log = logging.getLogger(__name__)
EVERY_SECONDS = 2.0
IS_NOT_READ: ContextVar[bool] = ContextVar("settings_not_read", default=False)
CHANGED = select(ChangedSetting.name, ChangedSetting.value).order_by(ChangedSetting.name)


@dataclass
class Stored:
    """What one app has read of the table: its texts, when it was read, and the values without the table."""

    defaults: dict[str, Any]
    texts: dict[str, str] = field(default_factory=dict)
    read_at: float = float("-inf")


def init_app(app: Flask) -> None:
    """Read the table for this app whenever a request, a job or a command begins."""
    sources = app.config["SETTING_SOURCES"]
    may_change = (name for name, setting in SETTINGS.items() if setting.decided and sources[name] != ENVIRONMENT)
    app.extensions["stored_settings"] = Stored({name: app.config[name] for name in may_change})
    appcontext_pushed.connect(_refresh, app)


def of_app() -> Stored:
    """Return what the current app has read."""
    stored: Stored = current_app.extensions["stored_settings"]
    return stored


def reload() -> None:
    """Put the table into force in this process, however recently it was read."""
    of_app().read_at = float("-inf")
    _refresh(current_app)


def read_within() -> None:
    """Put the table into force as the caller's transaction sees it, which another process may have changed just now."""
    _put_into_force(current_app, db.session.connection())


@contextmanager
def not_read() -> Iterator[None]:
    """Do not read the table within the block: for what must be answered while the database is silent."""
    token = IS_NOT_READ.set(True)
    try:
        yield
    finally:
        IS_NOT_READ.reset(token)


def in_force(texts: Mapping[str, str], defaults: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that hold with these texts in the table.

    A text that this version cannot read, or that contradicts what was set on the machine since, is left out.

    :param defaults: the settings that may change, as they are without the table. :param config: all settings.
    """
    values = dict(defaults)
    for name in texts.keys() & defaults.keys():
        try:
            values[name] = SETTINGS[name].read(texts[name])
        except (TypeError, ValueError):
            log.warning("What was set on the page is left out: %s must be %s.", name, SETTINGS[name].allowed)
    wrong = contradiction({**config, **values})
    if wrong:
        log.warning("What was set on the page is left out: %s", wrong.text)
        values |= {name: defaults[name] for name in wrong.names if name in defaults}
    return values


def _refresh(app: Flask, **_: object) -> None:
    stored: Stored = app.extensions["stored_settings"]
    now = time.monotonic()
    if IS_NOT_READ.get() or now - stored.read_at < EVERY_SECONDS:
        return
    stored.read_at = now
    file = db.engine.url.database
    if db.engine.dialect.name == "sqlite" and file and not os.path.exists(file):
        return  # To read a file of SQLite that is still to be made would make an empty one.
    try:
        with db.engine.connect() as connection:
            _put_into_force(app, connection)
    except SQLAlchemyError:
        # No tables yet, or the database is away, which others report. What was read before holds.
        return


def _put_into_force(app: Flask, connection: Connection) -> None:
    stored: Stored = app.extensions["stored_settings"]
    texts = {name: text for name, text in connection.execute(CHANGED)}
    if texts != stored.texts:
        app.config.update(in_force(texts, stored.defaults, app.config))
        stored.texts = texts
