"""The audit trail: shown, filtered and exported; for administrators, and changed by nobody."""

from http import HTTPStatus

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from hikflask.forms.audit import AuditForm
from hikflask.http.permissions import ADMIN, allow, confirmed
from hikflask.labels.actors import stored_name
from hikflask.labels.audit import action_choices
from hikflask.services.audit import Entry
from hikflask.services.audit.search import LOOK, AuditFilter, list_entries
from hikflask.services.audit.trail_export import batches, begin_export
from hikflask.services.core.dates import end_of, start_of
from hikflask.services.employees import search
from hikflask.web.admin import audit_csv
from hikflask.web.support import csv_file
from hikflask.web.support.pagination import Listing, listed

bp = Blueprint("audit", __name__, url_prefix="/audit")


@bp.get("/")
@allow(ADMIN)
def index() -> ResponseReturnValue:
    """The entries that pass the filters, the newest first."""
    form = AuditForm(request.args, action_choices())
    return _page(form) if form.validate() else _refused(form)


@bp.post("/export")
@confirmed(ADMIN, answers_file=True)
def export() -> ResponseReturnValue:
    """The filtered entries as a file; the export is noted as an entry, too."""
    form = AuditForm(request.form, action_choices())
    if not form.validate():
        return _refused(form)
    chosen = _filter(form)
    return csv_file.download("audit", audit_csv.parts(batches(chosen, begin_export(chosen))))


def _filter(form: AuditForm) -> AuditFilter:
    return AuditFilter(
        actor=stored_name(form.actor.data or ""),
        action=form.action.data or "",
        employee=form.employee.data or "",
        terminal=form.terminal.data or "",
        since=start_of(form.since.data) if form.since.data else None,
        until=end_of(form.until.data) if form.until.data else None,
        without_looks=not form.looks.data and form.action.data != LOOK,
    )


def _page(form: AuditForm) -> Response:
    return _rendered(form, listed(lambda limit, offset: list_entries(_filter(form), limit, offset)))


def _refused(form: AuditForm) -> Response:
    return _rendered(form, Listing([], 0), HTTPStatus.UNPROCESSABLE_ENTITY)


def _rendered(form: AuditForm, found: Listing[Entry], status: int = 200) -> Response:
    names = search.names(entry.employee_id for entry in found.rows)
    texts = form.texts()
    body = render_template("admin/audit.html", form=form, typed=texts, found=found, names=names)
    return make_response(body, status)
