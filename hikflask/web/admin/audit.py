"""The audit trail: shown, filtered and exported as CSV; for administrators, and changed by nobody."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from http import HTTPStatus

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hikflask.forms.admin import AuditForm
from hikflask.forms.fields import row_id
from hikflask.http.permissions import ADMIN, allow, confirmed
from hikflask.labels import audit as labels
from hikflask.messages import actor_name
from hikflask.services.audit import Entry, details_text
from hikflask.services.audit.operations import Operation, list_operations
from hikflask.services.audit.search import (
    LOOK,
    AuditFilter,
    batches,
    begin_export,
    count_entries_up_to,
    list_entries,
)
from hikflask.services.core.dates import TABLE_TIME, end_of, local, start_of
from hikflask.services.employees import search
from hikflask.services.spreadsheets.csv_writer import Rows
from hikflask.web.support.pagination import listed
from hikflask.web.support.responses import csv_file

bp = Blueprint("audit", __name__, url_prefix="/audit")

# Operations of one page.
OPERATIONS = 25


@bp.get("/")
@allow(ADMIN)
def index() -> ResponseReturnValue:
    """The operations that pass the filters, the newest first; of one request each entry."""
    form = AuditForm(request.args, labels.action_choices())
    if not form.validate():
        return _page(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    chosen = _filter(form)
    if chosen.request:
        found = listed(lambda limit, offset: list_entries(chosen, limit, offset))
        return _page(form, entries=found.rows, found=found, total=found.total)
    before = row_id(request.args.get("before"))
    operations, older = list_operations(chosen, before, OPERATIONS)
    entries = [entry for operation in operations for entry in operation.entries]
    total = count_entries_up_to(chosen)
    return _page(form, entries=entries, operations=operations, before=before, older=older, total=total)


@bp.post("/export")
@confirmed(ADMIN, answers_file=True)
def export() -> ResponseReturnValue:
    """The filtered entries as a file; the export is an entry, too."""
    form = AuditForm(request.form, labels.action_choices())
    if not form.validate():
        return _page(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    chosen = _filter(form)
    return csv_file("audit", _table(batches(chosen, begin_export(chosen))))


def _filter(form: AuditForm) -> AuditFilter:
    return AuditFilter(
        actor=labels.stored_actor(form.actor.data or ""),
        action=form.action.data or "",
        employee=form.employee.data or "",
        terminal=form.terminal.data or "",
        request=form.request.data or "",
        since=start_of(form.since.data) if form.since.data else None,
        until=end_of(form.until.data) if form.until.data else None,
        without_looks=not form.looks.data and form.action.data != LOOK,
    )


def _page(form: AuditForm, status: int = 200, entries: Sequence[Entry] = (), **found: object) -> Response:
    typed = form.texts()
    names = search.names(entry.employee_id for entry in entries)
    found |= {"form": form, "typed": typed, "names": names, "entries": entries}
    return make_response(render_template("admin/audit.html", entries_of=partial(_entries_of, typed), **found), status)


def _entries_of(typed: Mapping[str, str], operation: Operation) -> dict[str, str]:
    """Return the filters that show all entries of an operation, beside those that were typed."""
    days = {"until": local(operation.ended_at).date().isoformat()}
    if not operation.is_partly_counted:
        days["since"] = local(operation.began_at).date().isoformat()
    return {**typed, **days, "request": operation.entry.request_id}


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
