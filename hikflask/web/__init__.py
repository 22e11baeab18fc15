"""The pages."""

from flask import Flask

from hikflask.web import (
    account,
    administration,
    audit,
    captures,
    confirmation,
    consents,
    cookie,
    employees,
    enrolments,
    erasures,
    errors,
    exports,
    first_run,
    guard,
    headers,
    health,
    language,
    operators,
    page,
    proxy,
    removals,
    sign_in,
    terminals,
    tokens,
    uploads,
)
from hikflask.web.paths import RowId

BLUEPRINTS = (
    employees,
    consents,
    captures,
    enrolments,
    erasures,
    exports,
    removals,
    terminals,
    uploads,
    sign_in,
    confirmation,
    account,
    first_run,
    administration,
    operators,
    tokens,
    audit,
    language,
    health,
)


def register_guard(app: Flask) -> None:
    """Ask each request for a page who it is from, before anything else looks at it."""
    guard.register(app)


def register(app: Flask) -> None:
    """Add the pages' blueprints, error pages, headers, and what every template knows."""
    app.url_map.converters["int"] = RowId
    for module in BLUEPRINTS:
        app.register_blueprint(module.bp)
    cookie.register(app)
    proxy.register(app)
    errors.register(app)
    headers.register(app)
    page.register(app)
