"""What is done with an import after its dry run: the import itself, its undo, or neither."""

from http import HTTPStatus

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hikflask.background import tasks
from hikflask.forms.fields import row_id
from hikflask.http.permissions import ADMIN, OPERATOR, allow, confirmed
from hikflask.services.core.errors import PlanChanged, ServiceError
from hikflask.services.imports import batches, queries
from hikflask.services.jobs import imports as import_jobs
from hikflask.services.jobs import lifecycle
from hikflask.web.imports import stage, words
from hikflask.web.imports.imports import batch_or_404, bp
from hikflask.web.imports.stage import Stage
from hikflask.web.support.messages import error_sentence


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


@bp.post("/<int:batch_id>/start")
@allow(OPERATOR)
def start(batch_id: int) -> ResponseReturnValue:
    """Start an import that deactivates nobody."""
    at = stage.of(batch_or_404(batch_id))
    if at.can_import and queries.leavers(batch_id):
        abort(HTTPStatus.FORBIDDEN)
    return _start(at)


@bp.post("/<int:batch_id>/deactivate")
@confirmed(ADMIN)
def deactivate(batch_id: int) -> ResponseReturnValue:
    """Start an import that deactivates people."""
    return _start(stage.of(batch_or_404(batch_id)))


@bp.post("/<int:batch_id>/discard")
@allow(OPERATOR)
def discard(batch_id: int) -> ResponseReturnValue:
    """Give up an import that was not started: its files and rows are deleted."""
    at = stage.of(batch_or_404(batch_id))
    if at.is_over:
        return _back(at)
    if at.job and at.is_running:
        lifecycle.stop(at.job.id)
    if not batches.discard(batch_id):
        return _back(at)
    flash(_("Nothing was imported. The files are deleted."))
    return redirect(url_for("employees.index"), 303)


@bp.get("/<int:batch_id>/undo")
@allow(OPERATOR)
def ask_undo(batch_id: int) -> ResponseReturnValue:
    """Ask before an import is undone: how many rows that is, and how many stay, since somebody changed them."""
    at = stage.of(batch_or_404(batch_id))
    if not at.can_undo:
        return _back(at)
    return render_template("imports/undo.html", at=at, preview=queries.undo_preview(batch_id), words=words)


@bp.post("/<int:batch_id>/undo")
@allow(OPERATOR)
def undo(batch_id: int) -> ResponseReturnValue:
    """Start the undo; a second click shows the one that the first started."""
    at = stage.of(batch_or_404(batch_id))
    if at.can_undo:
        try:
            tasks.enqueue_job(import_jobs.start_undo(batch_id, row_id(request.form.get("rows")) or 0))
        except PlanChanged as error:
            flash(error_sentence(error), "danger")
            return redirect(url_for(".ask_undo", batch_id=batch_id), 303)
        except ServiceError as error:
            flash(error_sentence(error), "danger")
    return _back(at)


def _start(at: Stage) -> ResponseReturnValue:
    """Start an import, or let a stopped one go on; a second click shows what the first one started."""
    if at.can_import:
        try:
            tasks.enqueue_job(import_jobs.start_import(at.batch.id))
        except ServiceError as error:
            flash(error_sentence(error), "danger")
    return _back(at)


def _back(at: Stage) -> ResponseReturnValue:
    return redirect(url_for(".show", batch_id=at.batch.id), 303)
