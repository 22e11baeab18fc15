"""hikflask: enrols employees on Hikvision face terminals."""

from collections.abc import Mapping
from typing import Any

from flask import Flask

from hikflask import api, cli, config, logging_setup, models, web
from hikflask.extensions import babel, csrf, db, login_manager, metrics, task_queue, terminal_clients, vault
from hikflask.http import terminal_concurrency
from hikflask.http.body_limits import StreamingRequest
from hikflask.metrics import http_requests
from hikflask.services import providers
from hikflask.services.settings import stored as stored_settings
from hikflask.web.support.locale import select_language

__all__ = ["create_app", "models"]


def create_app(test_config: Mapping[str, Any] | None = None) -> Flask:
    """Make the app: settings, extensions, pages, JSON API, commands.

    :raises hikflask.config.ConfigError: with a sentence that says what to set.
    """
    folder = config.instance_path(test_config)
    app = logging_setup.LoggedFlask(__name__, instance_path=folder)
    app.request_class = StreamingRequest
    config.load(app.config, folder, test_config)
    logging_setup.register(app)
    db.init_app(app)
    stored_settings.init_app(app)
    login_manager.init_app(app)
    metrics.init_app(app)
    http_requests.init_app(app)
    # Requests without a right are refused before anything reads what they send.
    web.register_guard(app)
    api.register_guard(app)
    csrf.init_app(app)
    babel.init_app(app, locale_selector=select_language)
    vault.init_app(app)
    terminal_clients.init_app(app)
    terminal_concurrency.init_app(app)
    task_queue.init_app(app)
    providers.register()
    web.register(app)
    api.register(app)
    cli.register(app)
    return app
