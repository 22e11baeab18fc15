"""What is done with an import after its dry run: the import itself, its undo, or neither."""

from http import HTTPStatus

from flask import Response, abort, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from hikflask.background import tasks
from hikflask.forms.fields import row_id
from hikflask.forms.imports import ConfirmForm, UndoForm
from hikflask.http.permissions import ADMIN, OPERATOR, allow, confirmed
from hikflask.messages import error_sentence
from hikflask.services.core import refusal_rules
from hikflask.services.core.errors import AdministratorNeeded, PlanChanged, ServiceError, UnsafePlan
from hikflask.services.enrolments.mass_removals import Agreed
from hikflask.services.imports import batches, losses, queries
from hikflask.services.jobs import imports as import_jobs
from hikflask.services.jobs import lifecycle
from hikflask.web.imports import stage
from hikflask.web.imports.imports import batch_or_404, bp, page
from hikflask.web.imports.stage import Stage
from hikflask.web.security import resubmission


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
    return _start(at, by_admin=False)


@bp.post("/<int:batch_id>/deactivate")
@confirmed(ADMIN)
def deactivate(batch_id: int) -> ResponseReturnValue:
    """Start an import that deactivates people, or by which many lose access."""
    return _start(stage.of(batch_or_404(batch_id)), by_admin=True)


@resubmission.restores("imports.deactivate")
def start_again(fields: MultiDict[str, str], batch_id: int) -> ResponseReturnValue:
    """Show the import again with the number as it was typed."""
    at = stage.of(batch_or_404(batch_id))
    return page(at, ConfirmForm(formdata=fields)) if at.can_import else _back(at)


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
    """Start an undo by which many lose access."""
    return _undo(stage.of(batch_or_404(batch_id)), by_admin=True)


@resubmission.restores("imports.undo_and_remove")
def undo_again(fields: MultiDict[str, str], batch_id: int) -> ResponseReturnValue:
    """Show the question again with the number as it was typed."""
    return _question(stage.of(batch_or_404(batch_id)), UndoForm(formdata=fields))


def _question(at: Stage, form: UndoForm, status: int = HTTPStatus.OK) -> Response:
    known = {"preview": queries.undo_preview(at.batch.id), "losses": losses.of_undo(at.batch.id)}
    return make_response(render_template("imports/undo.html", at=at, form=form, **known), status)


def _undo(at: Stage, *, by_admin: bool) -> ResponseReturnValue:
    if at.can_undo:
        form = UndoForm()
        agreed = Agreed(row_id(form.confirm.data), by_admin)
        try:
            tasks.enqueue_job(import_jobs.start_undo(at.batch.id, agreed, row_id(form.rows.data) or 0))
        except PlanChanged as error:
            flash(error_sentence(error), "danger")
            return redirect(url_for(".ask_undo", batch_id=at.batch.id), 303)
        except (AdministratorNeeded, UnsafePlan) as error:
            form.confirm.errors = [error_sentence(error)]
            return _question(at, form, refusal_rules.page_status(error.code))
        except ServiceError as error:
            flash(error_sentence(error), "danger")
    return _back(at)


def _start(at: Stage, *, by_admin: bool) -> ResponseReturnValue:
    """Start an import, or let a stopped one go on; a second click shows what the first one started."""
    if at.can_import:
        form = ConfirmForm()
        try:
            tasks.enqueue_job(import_jobs.start_import(at.batch.id, Agreed(row_id(form.confirm.data), by_admin)))
        except (AdministratorNeeded, UnsafePlan) as error:
            form.confirm.errors = [error_sentence(error)]
            return page(at, form, refusal_rules.page_status(error.code))
        except ServiceError as error:
            flash(error_sentence(error), "danger")
    return _back(at)


def _back(at: Stage) -> ResponseReturnValue:
    return redirect(url_for(".show", batch_id=at.batch.id), 303)
