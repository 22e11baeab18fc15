"""The JSON API (docs/en/api.md); it never answers HTML."""

from flask import Flask

from hikflask.api import (
    captures,
    cards,
    comparisons,
    consents,
    devices,
    enrolments,
    events,
    groups,
    import_undo,
    imports,
    jobs,
    metrics,
    users,
)
from hikflask.api.openapi import views as openapi
from hikflask.api.support import error_json, guard, idempotency
from hikflask.extensions import csrf

MODULES = (
    *(users, imports, import_undo, consents, cards, devices, enrolments, events, comparisons, groups, captures, jobs),
    *(metrics, openapi, error_json),
)


def register_guard(app: Flask) -> None:
    """Check the token of each call before anything else reads it."""
    guard.register(app)
    idempotency.register(app)


def register(app: Flask) -> None:
    """Add the API's blueprints; no cookie gives access to them, so no CSRF token is needed."""
    for module in MODULES:
        csrf.exempt(module.bp)
        app.register_blueprint(module.bp)
