"""The JSON API, with the paths and shapes of the original description; it never answers HTML."""

from flask import Flask

from hikflask.api import captures, consents, devices, errors, guard, users
from hikflask.extensions import csrf


def register_guard(app: Flask) -> None:
    """Ask each call for its token, before anything else looks at it."""
    guard.register(app)


def register(app: Flask) -> None:
    """Add the API's blueprints. No cookie opens them, so there is nothing to forge and no CSRF token."""
    for module in (users, consents, devices, captures, errors):
        csrf.exempt(module.bp)
        app.register_blueprint(module.bp)
