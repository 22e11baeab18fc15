"""The pages."""

from flask import Flask

from hikflask.web import (
    captures,
    employees,
    enrolments,
    errors,
    headers,
    health,
    language,
    page,
    removals,
    terminals,
    uploads,
)
from hikflask.web.addresses import RowId


def register(app: Flask) -> None:
    """Add the pages' blueprints, error pages, headers, and what every template knows."""
    app.url_map.converters["int"] = RowId
    for module in (employees, captures, enrolments, removals, terminals, uploads, language, health):
        app.register_blueprint(module.bp)
    errors.register(app)
    headers.register(app)
    page.register(app)
