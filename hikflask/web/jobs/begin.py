"""From the selection on the list to a started job: who is meant is fixed with the preview, before anything is done."""

from http import HTTPStatus
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from hikflask.background import tasks
from hikflask.forms.employee_filter import EmployeeFilterForm
from hikflask.forms.fields import row_id
from hikflask.forms.jobs import SelectionForm
from hikflask.http.permissions import ADMIN, OPERATOR, allow, confirmed
from hikflask.models.job import DRAFT
from hikflask.services.core.errors import ServiceError
from hikflask.services.enrolments.mass_removals import Agreed
from hikflask.services.jobs import draft as drafts
from hikflask.services.jobs import queries
from hikflask.services.jobs.draft import make_draft
from hikflask.services.jobs.kinds import DEACTIVATE, DEPARTMENT, KINDS, OF_SELECTION, PRINT
from hikflask.web.jobs import draft
from hikflask.web.jobs.jobs import bp, draft_or_404
from hikflask.web.security import current_operator, resubmission


@bp.post("/preview")
@allow(OPERATOR)
def preview() -> ResponseReturnValue:
    """Fix who is meant, and show what would be done; nothing is done yet."""
    form, chosen = SelectionForm(), EmployeeFilterForm(request.form)
    kind = form.action.data
    # A wrong filter narrows nothing, so more people would be meant than the list showed.
    if kind not in OF_SELECTION or (not chosen.validate() and form.all.data):
        abort(HTTPStatus.UNPROCESSABLE_ENTITY)
    if kind == DEACTIVATE and not current_operator.may(ADMIN):
        abort(HTTPStatus.FORBIDDEN)
    if not form.all.data and not form.employee_ids:
        flash(_("Nobody is selected. Tick the employees first."), "warning")
        values: dict[str, Any] = {**chosen.texts}
        return redirect(url_for("employees.index", **values), 303)
    job = make_draft(kind, chosen.filter, None if form.all.data else form.employee_ids)
    return redirect(url_for(".printed" if kind == PRINT else ".show", job_id=job.id), 303)


@resubmission.restores("jobs.preview")
def selected_again(fields: MultiDict[str, str]) -> ResponseReturnValue:
    """Show what was selected, to be sent once more."""
    form = SelectionForm(formdata=fields)
    pairs = [(name, value) for name, value in fields.items(multi=True)]
    return render_template("jobs/selected.html", form=form, pairs=pairs)


@bp.post("/<int:job_id>/start")
@allow(OPERATOR)
def start(job_id: int) -> ResponseReturnValue:
    """Start a draft that everybody may start who enrols employees."""
    if (job := queries.get(job_id)) and job.kind == DEACTIVATE:
        abort(HTTPStatus.FORBIDDEN)
    return _start(job_id, by_admin=False)


@bp.post("/<int:job_id>/deactivate")
@confirmed(ADMIN)
def deactivate(job_id: int) -> ResponseReturnValue:
    """Start the deactivation of many."""
    if (job := queries.get(job_id)) and job.kind != DEACTIVATE:
        abort(HTTPStatus.NOT_FOUND)
    return _start(job_id, by_admin=True)


@bp.post("/<int:job_id>/remove")
@confirmed(ADMIN)
def remove(job_id: int) -> ResponseReturnValue:
    """Start a change by which many lose access."""
    if (job := queries.get(job_id)) and job.kind != DEPARTMENT:
        abort(HTTPStatus.NOT_FOUND)
    return _start(job_id, by_admin=True)


@resubmission.restores("jobs.start", "jobs.deactivate", "jobs.remove")
def typed_again(fields: MultiDict[str, str], job_id: int) -> ResponseReturnValue:
    """Show the preview again as it was filled."""
    job = draft_or_404(job_id)
    return draft.page(job, draft.form_of(job, formdata=fields))


def _start(job_id: int, *, by_admin: bool) -> ResponseReturnValue:
    """Start a draft and show the job; the second click of a double click shows the job that the first one started."""
    job = queries.get(job_id) or abort(404)
    if job.state == DRAFT:
        form = draft.form_of(job)
        if not KINDS[job.kind].can_start or not job.total:
            abort(HTTPStatus.CONFLICT)
        if not form.validate():
            return draft.page(job, form, HTTPStatus.UNPROCESSABLE_ENTITY)
        agreed, params = Agreed(row_id(form.confirm.data), by_admin), draft.params_of(form)
        try:
            claim = drafts.start(job, params, agreed, form.shown.data or "")
        except ServiceError as error:
            return draft.refused(job, form, error)
        if claim:
            draft.started(form, params)
            tasks.enqueue_job(claim)
    return redirect(url_for(".show", job_id=job_id), 303)
