"""Imports: the list, and the page of one with what is done there: the import itself, its undo, or neither."""

from collections.abc import Iterator
from http import HTTPStatus
from itertools import chain, islice
from typing import Any

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from hikflask.background import tasks
from hikflask.forms.fields import row_id, row_ids
from hikflask.forms.imports import ConfirmForm, StartForm, UndoForm
from hikflask.http.permissions import ADMIN, OPERATOR, allow, confirmed
from hikflask.labels.imports import row_error
from hikflask.messages import error_sentence
from hikflask.models import ImportBatch, ImportRow
from hikflask.models.import_batch import VERDICTS, WRONG
from hikflask.services.changes import lifecycle
from hikflask.services.core.errors import AdministratorNeeded, PlanChanged, ServiceError, UnsafePlan
from hikflask.services.core.shown import require_same
from hikflask.services.enrolments.mass_removals import Confirmation
from hikflask.services.imports import batches, effects, losses, queries
from hikflask.services.imports import jobs as import_jobs
from hikflask.services.imports import report as import_report
from hikflask.services.imports.corrections import written_place
from hikflask.services.provisioning import without_face
from hikflask.services.spreadsheets.csv_writer import Rows
from hikflask.services.terminals import registry
from hikflask.web.help import chapters
from hikflask.web.imports import stage
from hikflask.web.imports.photo_list import first_photos, row_thumbnails
from hikflask.web.imports.stage import CHECKED, CHECKING, CHOOSING, IMPORTED, Stage
from hikflask.web.jobs.report import report_of
from hikflask.web.security import resubmission
from hikflask.web.support.htmx import with_bar
from hikflask.web.support.pagination import ROWS, listed, paginate
from hikflask.web.support.responses import csv_file, refuse

bp = Blueprint("imports", __name__, url_prefix="/imports")

KINDS = (*VERDICTS, queries.WITHOUT_PHOTO, *effects.KINDS)
# So many wrong rows are sent at a time.
WRONG_ROWS = 100


@bp.get("/")
@allow(OPERATOR)
def index() -> ResponseReturnValue:
    """The imports, the newest first."""
    listing = listed(queries.list_page)
    return render_template("imports/list.html", listing=listing, rows=[stage.of(batch) for batch in listing.rows])


@bp.get("/<int:batch_id>")
@allow(OPERATOR)
def show(batch_id: int) -> ResponseReturnValue:
    """One import: the dry run's rows, the progress of its current job, or its report."""
    at = stage.of(batch_or_404(batch_id))
    if at.name == CHOOSING:
        return redirect(url_for(".columns", batch_id=batch_id), 303)
    return _page(at, ConfirmForm(formdata=None))


@bp.get("/<int:batch_id>/start")
@bp.get("/<int:batch_id>/deactivate")
@bp.get("/<int:batch_id>/correct")
@bp.get("/<int:batch_id>/undo/remove")
@allow(OPERATOR)
def shown_again(batch_id: int) -> ResponseReturnValue:
    """Lead from the address of a form that was answered with a page to the import: somebody loads it again."""
    return _back(stage.of(batch_or_404(batch_id)))


@bp.get("/<int:batch_id>/state")
@allow(OPERATOR, is_activity=False)
def state(batch_id: int) -> ResponseReturnValue:
    """The part of the page that polls, with the bar."""
    at = stage.of(batch_or_404(batch_id))
    if at.name == CHOOSING:
        abort(404)
    return with_bar(render_template("imports/_import.html", **about(at, ConfirmForm(formdata=None))))


@bp.get("/<int:batch_id>/wrong")
@allow(OPERATOR)
def wrong(batch_id: int) -> Response:
    """The wrong rows with the columns of their table, blank for a photo alone; without a table, ID and file."""
    batch = batch_or_404(batch_id)
    return csv_file(f"wrong-rows-{batch_id}", _wrong_parts(batch, queries.wrong_rows(batch_id)))


def _wrong_parts(batch: ImportBatch, rows: Iterator[ImportRow]) -> Iterator[Rows]:
    columns = batch.layout.get("columns", []) if batch.table_name else [_("Employee ID"), _("Photo")]
    # By its place a corrected row is found again.
    place = [_("Row")] if batch.table_name else []
    yield [[*columns, *place, _("Why it is wrong")]]
    width = len(columns)
    while portion := list(islice(rows, WRONG_ROWS)):
        lines = []
        for row in portion:
            cells = row.cells or [] if batch.table_name else [row.number, row.photo]
            # As many cells as there are columns, so that the reason stands below its header.
            written = [written_place(row.sheet, row.line)] if batch.table_name else []
            lines.append([*cells[:width], *[""] * (width - len(cells)), *written, row_error(row)])
        yield lines


@bp.post("/<int:batch_id>/check")
@allow(OPERATOR)
def check(batch_id: int) -> ResponseReturnValue:
    """Start the dry run again after it was stopped or interrupted."""
    at = stage.of(batch_or_404(batch_id))
    if at.can_check:
        try:
            tasks.enqueue_job(import_jobs.start_check(batch_id))
        except ServiceError as error:
            flash(error_sentence(error), "danger")
    return _back(at)


@bp.post("/<int:batch_id>/confirm")
@allow(OPERATOR)
def confirm(batch_id: int) -> ResponseReturnValue:
    """Keep which of the rows that were shown are about the people who are here, though the names are wholly other."""
    at = stage.of(batch_or_404(batch_id))
    shown, same_people = (row_ids(request.form.getlist(name)) for name in ("shown", "same_person"))
    try:
        effects.confirm_rows(batch_id, shown[:ROWS], same_people[:ROWS])
    except ServiceError as error:
        flash(error_sentence(error), "danger")
        return _back(at)
    return redirect(url_for(".show", batch_id=batch_id, rows=effects.OTHER_PERSON, _anchor="effects"), 303)


@bp.post("/<int:batch_id>/mend")
@allow(OPERATOR)
def fix(batch_id: int) -> ResponseReturnValue:
    """Check the table again, with letters of the other alphabet and invisible signs mended, or with lost zeros back."""
    at = stage.of(batch_or_404(batch_id))
    zeros = "zeros" in request.form
    digits = queries.lost_zeros(batch_id) if zeros else 0
    if zeros and not digits:
        return _back(at)
    try:
        tasks.enqueue_job(import_jobs.start_fixing(batch_id, digits))
    except ServiceError as error:
        flash(error_sentence(error), "danger")
    return _back(at)


@bp.post("/<int:batch_id>/start")
@allow(OPERATOR)
def start(batch_id: int) -> ResponseReturnValue:
    """Start an import that deactivates nobody."""
    at = stage.of(batch_or_404(batch_id))
    if at.can_import and queries.leavers(batch_id):
        abort(HTTPStatus.FORBIDDEN)
    return _start(at, by_admin=False)


@bp.post("/<int:batch_id>/deactivate")
@confirmed(ADMIN)
def deactivate(batch_id: int) -> ResponseReturnValue:
    """Start an import that deactivates people, or takes access from many."""
    return _start(stage.of(batch_or_404(batch_id)), by_admin=True)


@resubmission.restores("imports.deactivate")
def start_again(fields: MultiDict[str, str], batch_id: int) -> ResponseReturnValue:
    """Show the import again with the number as it was typed."""
    at = stage.of(batch_or_404(batch_id))
    return _page(at, ConfirmForm(formdata=fields)) if at.can_import else _back(at)


@bp.post("/<int:batch_id>/discard")
@allow(OPERATOR)
def discard(batch_id: int) -> ResponseReturnValue:
    """Give up an import that was not started: its files and rows are deleted."""
    at = stage.of(batch_or_404(batch_id))
    if at.is_over:
        return _back(at)
    if at.job and at.is_running:
        lifecycle.stop_job(at.job.id)
    if not batches.discard(batch_id):
        return _back(at)
    flash(_("Nothing was imported. The files are deleted."))
    return redirect(url_for("employees.index"), 303)


@bp.get("/<int:batch_id>/undo")
@allow(OPERATOR)
def ask_undo(batch_id: int) -> ResponseReturnValue:
    """Ask before an import is undone: how many rows that is, and how many stay, since somebody changed them."""
    at = stage.of(batch_or_404(batch_id))
    return _question(at, UndoForm(formdata=None)) if at.can_undo else _back(at)


@bp.post("/<int:batch_id>/undo")
@allow(OPERATOR)
def undo(batch_id: int) -> ResponseReturnValue:
    """Start the undo; a second click shows the one that the first started."""
    return _undo(stage.of(batch_or_404(batch_id)), by_admin=False)


@bp.post("/<int:batch_id>/undo/remove")
@confirmed(ADMIN)
def undo_and_remove(batch_id: int) -> ResponseReturnValue:
    """Start an undo, though many lose access."""
    return _undo(stage.of(batch_or_404(batch_id)), by_admin=True)


@resubmission.restores("imports.undo_and_remove")
def undo_again(fields: MultiDict[str, str], batch_id: int) -> ResponseReturnValue:
    """Show the question again with the number as it was typed."""
    return _question(stage.of(batch_or_404(batch_id)), UndoForm(formdata=fields))


def batch_or_404(batch_id: int) -> ImportBatch:
    """Return an import.

    :raises werkzeug.exceptions.NotFound: when there is none.
    """
    return batches.get(batch_id) or abort(404)


def _page(at: Stage, form: ConfirmForm, status: int = HTTPStatus.OK) -> Response:
    """Answer the page of an import, with the number as it was typed of those who lose access through it."""
    return make_response(render_template("imports/show.html", **about(at, form)), status)


def about(at: Stage, form: ConfirmForm) -> dict[str, Any]:
    """Return what the page shows: rows of the dry run, or the report of the job; both have pages of their own.

    After the dry run the wrong rows come first.
    """
    if at.name not in {CHECKING, CHECKED}:
        chapters.explain_as("imports.ask_undo")
    batch, verdict = at.batch, request.args.get("rows", "")
    verdict = verdict if verdict in {*KINDS, "all"} else ""
    with_rows = at.name == CHECKED or bool(verdict)
    correctable = queries.correctable(batch.id) if at.name == CHECKED else 0
    corrects = correctable > 0 and verdict in {"", WRONG}
    shown = WRONG if corrects else verdict if verdict in KINDS else ""
    # A page that asks for the password carries no more fields.
    most = resubmission.MAX_FIELDS // (len(batch.fields) or 1) if corrects else ROWS
    report = report_of(at.job) if at.job and at.name != CHECKED else None
    listing = (
        paginate(lambda limit, place: queries.rows_page(batch.id, shown, limit, place), most) if with_rows else None
    )
    leavers = queries.leavers(batch.id) if at.can_import else 0
    with_effects = queries.first_with_effects(batch) if at.name == CHECKED else {}
    of_effects = [*(listing.rows if listing else ()), *chain.from_iterable(with_effects.values())]
    terminal = registry.find_terminal(batch.terminal_id) if batch.terminal_id else None
    lost = losses.of_import(batch.id) if at.can_import else import_report.losses_of(batch)
    return {
        "at": at,
        "form": form,
        "losses": lost,
        "by_admin": leavers > 0 or lost.exceeds_limit,
        "report": report,
        "poll_seconds_of_import": report.poll_seconds if report else 0,
        "place": {name: request.args.get(name) for name in ("reason", "after", "before")},
        "verdict": verdict,
        "shown": shown,
        "listing": listing,
        "photos": first_photos(batch) if at.name == CHECKED and batch.photos_name else None,
        "reasons": queries.count_by_reason(batch) if shown == WRONG else {},
        "thumbnails": row_thumbnails(batch, listing.rows) if at.name == CHECKED and listing and shown != WRONG else (),
        "correctable": correctable,
        "corrects": corrects,
        "lost_zeros": queries.lost_zeros(batch.id) if "unknown_ids" in with_effects and at.can_reopen else 0,
        "names": queries.names(of_effects),
        "namesakes": queries.namesakes(of_effects),
        "with_effects": with_effects,
        "unconfirmed": effects.unconfirmed(batch.id) if batch.effects.get(effects.OTHER_PERSON) else 0,
        "withheld": import_report.withheld(batch),
        "without_photo": queries.without_photo(batch.id) if batch.checked_at else 0,
        "leavers": leavers,
        "terminal": terminal,
        "absent": queries.absent(batch) if at.name == CHECKED else None,
        "sent": queries.sent(batch.id, terminal) if terminal and at.name == CHECKED else (0, 0),
        "sent_by_groups": queries.sent_by_groups(batch) if at.name == CHECKED else [],
        "to_camera": without_face.count(terminal) if terminal and at.name == IMPORTED else 0,
    }


def _question(at: Stage, form: UndoForm, status: int = HTTPStatus.OK) -> Response:
    preview, lost = queries.undo_preview(at.batch.id), losses.of_undo(at.batch.id)
    return make_response(render_template("imports/undo.html", at=at, form=form, preview=preview, losses=lost), status)


def _undo(at: Stage, *, by_admin: bool) -> ResponseReturnValue:
    if at.can_undo:
        form = UndoForm()
        agreed = Confirmation(row_id(form.confirm.data), by_admin)
        try:
            tasks.enqueue_job(import_jobs.start_undo(at.batch.id, agreed, row_id(form.rows.data) or 0))
        except PlanChanged as error:
            flash(error_sentence(error), "danger")
            return redirect(url_for(".ask_undo", batch_id=at.batch.id), 303)
        except (AdministratorNeeded, UnsafePlan) as error:
            return _question(at, form, refuse(form.confirm, error))
        except ServiceError as error:
            flash(error_sentence(error), "danger")
    return _back(at)


def _start(at: Stage, *, by_admin: bool) -> ResponseReturnValue:
    """Start an import as its page showed it, or let a stopped one go on; a second click shows the one that runs.

    A page that was open before `shown` was a part of it has none.
    """
    checked_at = at.batch.checked_at
    if at.can_import and checked_at:
        form = StartForm()
        try:
            require_same(form.shown.data or checked_at.isoformat(), checked_at.isoformat())
            agreed = Confirmation(row_id(form.confirm.data), by_admin)
            tasks.enqueue_job(import_jobs.start_import(at.batch.id, agreed, checked_at))
        except (AdministratorNeeded, UnsafePlan) as error:
            return _page(at, form, refuse(form.confirm, error))
        except ServiceError as error:
            flash(error_sentence(error), "danger")
    return _back(at)


def _back(at: Stage) -> ResponseReturnValue:
    return redirect(url_for(".show", batch_id=at.batch.id), 303)
