"""Imports: the list, and the page of one with its dry run, its progress, its report, and its wrong rows as a file."""

from collections.abc import Iterator
from http import HTTPStatus
from itertools import islice
from typing import Any

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hikflask.forms.imports import ConfirmForm
from hikflask.http.permissions import OPERATOR, allow
from hikflask.labels.imports import row_error
from hikflask.models import ImportBatch, ImportRow
from hikflask.models.import_batch import VERDICTS
from hikflask.services.imports import batches, losses, queries
from hikflask.services.jobs import import_report
from hikflask.services.spreadsheets.csv_writer import Rows
from hikflask.services.terminals import registry
from hikflask.web.imports import stage
from hikflask.web.imports.stage import CHECKED, CHOOSING, Stage
from hikflask.web.jobs.jobs import report_of
from hikflask.web.support.responses import csv_file
from hikflask.web.support.htmx import with_bar
from hikflask.web.support.pagination import listed, turned

bp = Blueprint("imports", __name__, url_prefix="/imports")

KINDS = (*VERDICTS, queries.WITHOUT_PHOTO)
# So many wrong rows are sent at a time.
WRONG_ROWS = 100


@bp.get("/")
@allow(OPERATOR)
def index() -> ResponseReturnValue:
    """The imports, the newest first."""
    found = listed(queries.list_page)
    return render_template("imports/list.html", found=found, rows=[stage.of(batch) for batch in found.rows])


@bp.get("/<int:batch_id>")
@allow(OPERATOR)
def show(batch_id: int) -> ResponseReturnValue:
    """One import: the dry run's rows, the progress of its present job, or its report."""
    at = stage.of(batch_or_404(batch_id))
    if at.name == CHOOSING:
        return redirect(url_for(".columns", batch_id=batch_id), 303)
    return page(at, ConfirmForm(formdata=None))


@bp.get("/<int:batch_id>/state")
@allow(OPERATOR, is_activity=False)
def state(batch_id: int) -> ResponseReturnValue:
    """The part of the page that polls, with the bar."""
    at = stage.of(batch_or_404(batch_id))
    if at.name == CHOOSING:
        abort(404)
    return with_bar(render_template("imports/_import.html", **_about(at, ConfirmForm(formdata=None))))


@bp.get("/<int:batch_id>/wrong")
@allow(OPERATOR)
def wrong(batch_id: int) -> Response:
    """The wrong rows with the columns of their table, blank for a photo alone; without a table, ID and file."""
    batch = batch_or_404(batch_id)
    return csv_file(f"wrong-rows-{batch_id}", _wrong_parts(batch, queries.wrong_rows(batch_id)))


def _wrong_parts(batch: ImportBatch, rows: Iterator[ImportRow]) -> Iterator[Rows]:
    columns = batch.layout.get("columns", []) if batch.table_name else [_("Employee ID"), _("Photo")]
    yield [[*columns, _("Why it is wrong")]]
    width = len(columns)
    while portion := list(islice(rows, WRONG_ROWS)):
        lines = []
        for row in portion:
            cells = row.cells or [] if batch.table_name else [row.number, row.photo]
            # As many cells as there are columns, so that the reason stands below its header.
            lines.append([*cells[:width], *[""] * (width - len(cells)), row_error(row)])
        yield lines


def batch_or_404(batch_id: int) -> ImportBatch:
    """Return an import.

    :raises werkzeug.exceptions.NotFound: when there is none.
    """
    return batches.find_batch(batch_id) or abort(404)


def page(at: Stage, form: ConfirmForm, status: int = HTTPStatus.OK) -> Response:
    """Answer the page of an import, with the number as it was typed of those who lose access by it."""
    return make_response(render_template("imports/show.html", **_about(at, form)), status)


def _about(at: Stage, form: ConfirmForm) -> dict[str, Any]:
    """Return what the page shows: rows of the dry run, or the report of the job; both have pages of their own."""
    batch, verdict = at.batch, request.args.get("rows", "")
    verdict = verdict if verdict in {*KINDS, "all"} else ""
    with_rows = at.name == CHECKED or bool(verdict)
    shown = verdict if verdict in KINDS else ""
    report = report_of(at.job) if at.job and at.name != CHECKED else None
    found = turned(lambda limit, place: queries.rows_page(batch.id, shown, limit, place)) if with_rows else None
    leavers = queries.leavers(batch.id) if at.can_import else 0
    lost = losses.of_import(batch.id) if at.can_import else import_report.losses_of(batch)
    return {
        "at": at,
        "form": form,
        "losses": lost,
        "by_admin": leavers > 0 or lost.are_many,
        "report": report,
        "poll_seconds_of_import": report.poll_seconds if report else 0,
        "place": {name: request.args.get(name) for name in ("after", "before")},
        "verdict": verdict,
        "shown": shown,
        "found": found,
        "names": queries.names(found.rows) if found else {},
        "without_photo": queries.without_photo(batch.id) if batch.checked_at else 0,
        "leavers": leavers,
        "terminal": registry.find_terminal(batch.terminal_id) if batch.terminal_id else None,
        "sent": queries.sent(batch.id) if batch.terminal_id and at.name == CHECKED else 0,
    }
