"""The pages."""

from flask import Flask

from hikflask.web import error_pages, template_context
from hikflask.web.account import account, confirm_password, language, second_factor, setup, sign_in
from hikflask.web.admin import api_reference, audit, health, operators, overview, settings, tokens, webhooks
from hikflask.web.attention import overview as attention_overview
from hikflask.web.comparisons import choose as choose_differences
from hikflask.web.comparisons import comparisons
from hikflask.web.comparisons import plan as comparison_plan
from hikflask.web.departments import departments
from hikflask.web.employees import captures, cards, employees, enrolments, photo_drafts, photos, removals, rounds
from hikflask.web.employees import edit as edit_employee
from hikflask.web.groups import groups
from hikflask.web.help import site as help_site
from hikflask.web.imports import columns as import_columns
from hikflask.web.imports import corrections as import_corrections
from hikflask.web.imports import imports
from hikflask.web.imports import mappings as import_mappings
from hikflask.web.imports import photos as import_photos
from hikflask.web.imports import upload as import_upload
from hikflask.web.jobs import draft as job_draft
from hikflask.web.jobs import jobs
from hikflask.web.passages import days, passages, presence, push, why
from hikflask.web.privacy import consents, erasures
from hikflask.web.security import cookies, guard, headers
from hikflask.web.support.urls import RowId
from hikflask.web.terminals import checks, door, privacy, replacement, retire, terminals
from hikflask.web.terminals import edit as edit_terminal

# Several modules of a subject may add their views to one blueprint.
MODULES = (
    attention_overview,
    *(employees, edit_employee, cards, captures, photo_drafts, enrolments, photos, removals, rounds),
    *(departments, groups),
    *(terminals, edit_terminal, checks, door, privacy, retire, replacement),
    *(passages, why, presence, days, push),
    *(jobs, job_draft),
    *(imports, import_upload, import_columns, import_mappings, import_corrections, import_photos),
    *(comparisons, choose_differences, comparison_plan),
    *(consents, erasures),
    *(sign_in, second_factor, confirm_password, account, setup, language),
    *(overview, settings, operators, tokens, webhooks, api_reference, audit, health),
    help_site,
)


def register_guard(app: Flask) -> None:
    """Ask each request for a page who it is from, before anything else looks at it."""
    guard.register(app)


def register(app: Flask) -> None:
    """Add the pages' blueprints, error pages, headers, and what every template knows."""
    app.url_map.converters["int"] = RowId
    for bp in dict.fromkeys(module.bp for module in MODULES):
        app.register_blueprint(bp)
    cookies.register(app)
    headers.trust_proxy(app)
    error_pages.register(app)
    headers.register(app)
    health.register(app)
    help_site.register(app)
    template_context.register(app)
