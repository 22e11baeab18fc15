"""The audit trail: shown, filtered and exported as CSV; for administrators, and changed by nobody."""

from collections.abc import Iterable, Iterator
from http import HTTPStatus

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hikflask.forms.audit import AuditForm
from hikflask.http.permissions import ADMIN, allow, confirmed
from hikflask.labels import audit as labels
from hikflask.messages import actor_name
from hikflask.services.audit import Entry, details_text
from hikflask.services.audit.search import LOOK, AuditFilter, batches, begin_export, list_entries
from hikflask.services.core.dates import TABLE_TIME, end_of, local, start_of
from hikflask.services.employees import search
from hikflask.services.spreadsheets.csv_writer import Rows
from hikflask.web.support.pagination import Listing, listed
from hikflask.web.support.responses import csv_file

bp = Blueprint("audit", __name__, url_prefix="/audit")


@bp.get("/")
@allow(ADMIN)
def index() -> ResponseReturnValue:
    """The entries that pass the filters, the newest first."""
    form = AuditForm(request.args, labels.action_choices())
    if not form.validate():
        return _page(form, Listing([], 0), HTTPStatus.UNPROCESSABLE_ENTITY)
    return _page(form, listed(lambda limit, offset: list_entries(_filter(form), limit, offset)))


@bp.post("/export")
@confirmed(ADMIN, answers_file=True)
def export() -> ResponseReturnValue:
    """The filtered entries as a file; the export is an entry, too."""
    form = AuditForm(request.form, labels.action_choices())
    if not form.validate():
        return _page(form, Listing([], 0), HTTPStatus.UNPROCESSABLE_ENTITY)
    chosen = _filter(form)
    return csv_file("audit", _table(batches(chosen, begin_export(chosen))))


def _filter(form: AuditForm) -> AuditFilter:
    return AuditFilter(
        actor=labels.stored_actor(form.actor.data or ""),
        action=form.action.data or "",
        employee=form.employee.data or "",
        terminal=form.terminal.data or "",
        since=start_of(form.since.data) if form.since.data else None,
        until=end_of(form.until.data) if form.until.data else None,
        without_looks=not form.looks.data and form.action.data != LOOK,
    )


def _page(form: AuditForm, listing: Listing[Entry], status: int = 200) -> Response:
    names = search.names(entry.employee_id for entry in listing.rows)
    body = render_template("admin/audit.html", form=form, typed=form.texts(), found=listing, names=names)
    return make_response(body, status)


def _table(parts: Iterable[list[Entry]]) -> Iterator[Rows]:
    """Yield the rows of the file in parts: the header row, then one part for each batch of entries."""
    header = [
        _("Number"),
        _("Time"),
        _("Time (UTC)"),
        _("Who"),
        _("Network address"),
        _("Request"),
        _("Code"),
        _("What"),
        _("Employee ID"),
        _("Terminal"),
        _("Object"),
        _("Before"),
        _("After"),
    ]
    yield [header]
    for entries in parts:
        yield [_cells(entry) for entry in entries]


def _cells(entry: Entry) -> list[str]:
    return [
        str(entry.id),
        local(entry.at).strftime(TABLE_TIME),
        entry.at.strftime(TABLE_TIME),
        actor_name(entry.actor),
        entry.address,
        entry.request_id,
        entry.action,
        labels.action_label(entry.action),
        entry.employee,
        entry.terminal,
        labels.subject_label(entry) if entry.is_readable else labels.unreadable_label(),
        details_text(entry.before),
        details_text(entry.after),
    ]
