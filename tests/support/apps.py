"""The apps of the tests: one for each set of settings in a process, which every test finds as create_app() leaves it.

To make one takes longer than most tests do: Werkzeug compiles each of its addresses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask

from hikflask import create_app, logging_setup
from hikflask.extensions import db, metrics, task_queue, terminal_clients, vault
from hikflask.http import terminal_concurrency
from hikflask.services.settings import stored

KEYS = ("secret_key", "password_key")
# What an app has in memory alone.
IN_MEMORY = (metrics, vault, terminal_clients, terminal_concurrency, task_queue)


@dataclass(frozen=True)
class Made:
    """An app, and what tests may change of it: its settings, the files of its keys, its views and hooks."""

    app: Flask
    config: dict[str, Any]
    keys: dict[Path, bytes]
    views: dict[str, Any]
    before: list[Any]
    after: list[Any]

    def renew(self) -> None:
        """Give the app all of it again, for an instance folder that has a database at most."""
        for file, key in self.keys.items():
            file.touch(mode=0o600, exist_ok=False)
            file.write_bytes(key)
        Path(self.config["UPLOADS"]).mkdir(mode=0o750)
        self.app.config.clear()
        self.app.config.update(self.config)
        logging_setup.register(self.app)
        self.app.view_functions.clear()
        self.app.view_functions.update(self.views)
        self.app.before_request_funcs[None][:] = self.before
        self.app.after_request_funcs[None][:] = self.after
        settings: stored.Stored = self.app.extensions["stored_settings"]
        settings.texts, settings.read_at = {}, float("-inf")
        for extension in IN_MEMORY:
            extension.init_app(self.app)


class Apps:
    """The apps of this process by their settings. One of them is in use at a time."""

    def __init__(self) -> None:
        self._made: dict[str, Made] = {}

    def get(self, settings: Mapping[str, Any]) -> Flask:
        """Return the app with these settings."""
        key = repr(sorted(settings.items()))
        if key in self._made:
            self._made[key].renew()
        else:
            self._made[key] = _made(create_app(settings))
        return self._made[key].app


def close(app: Flask) -> None:
    """Close what an app keeps open."""
    app.extensions["terminal_clients"].close()
    task_queue.lanes(app).close()
    with stored.not_read(), app.app_context():
        db.session.remove()
        db.engine.dispose()


def _made(app: Flask) -> Made:
    # Once it has answered, Flask refuses another rule or blueprint, which nobody could take away again.
    app.test_client().get("/health")
    metrics.init_app(app)
    files = (Path(app.instance_path) / name for name in KEYS)
    return Made(
        app,
        config=dict(app.config),
        keys={file: file.read_bytes() for file in files if file.exists()},
        views=dict(app.view_functions),
        before=list(app.before_request_funcs[None]),
        after=list(app.after_request_funcs[None]),
    )
