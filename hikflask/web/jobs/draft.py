"""From the selection on the list to a started job: the preview fixes who is meant, before anything is done."""

from http import HTTPStatus
from typing import Any

from flask import Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from hikflask.background import tasks
from hikflask.forms.employees import EmployeeFilterForm
from hikflask.forms.fields import row_id
from hikflask.forms.jobs import DepartmentForm, ExportForm, JobForm, SelectionForm, SendForm
from hikflask.http.permissions import ADMIN, OPERATOR, VIEWER, allow, confirmed
from hikflask.messages import error_sentence
from hikflask.models import Job
from hikflask.models.job import DRAFT
from hikflask.services.changes import agreement, queries
from hikflask.services.changes.kinds import DEACTIVATE, DEPARTMENT, EXPORT, OF_SELECTION, PRINT, SEND
from hikflask.services.core.errors import PlanChanged, ServiceError, UnsafePlan
from hikflask.services.departments import registry as departments
from hikflask.services.employees import selection as drafts
from hikflask.services.enrolments.mass_removals import Confirmation
from hikflask.services.provisioning import send_preview
from hikflask.services.terminals import registry
from hikflask.web.jobs.jobs import about, bp, draft_or_404
from hikflask.web.security import current_operator, resubmission
from hikflask.web.support.notices import flash_plan_changed, flash_spelling

MAX_NAMES = 50


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
    job = drafts.make_draft(kind, chosen.filter, None if form.all.data else form.employee_ids)
    return redirect(url_for(".printed" if kind == PRINT else ".show", job_id=job.id), 303)


@resubmission.restores("jobs.preview")
def selected_again(fields: MultiDict[str, str]) -> ResponseReturnValue:
    """Show what was selected, to be sent once more."""
    form = SelectionForm(formdata=fields)
    pairs = [(name, value) for name, value in fields.items(multi=True)]
    return render_template("jobs/selected.html", form=form, pairs=pairs)


@bp.get("/<int:job_id>")
@allow(VIEWER)
def show(job_id: int) -> ResponseReturnValue:
    """One job: its preview before it is started, then its progress and its report."""
    job = queries.find_job(job_id) or abort(404)
    if job.state != DRAFT:
        return render_template("jobs/show.html", **about(job))
    if job.kind == PRINT:
        return redirect(url_for(".printed", job_id=job_id))
    return _page(draft_or_404(job_id))


@bp.post("/<int:job_id>/start")
@allow(OPERATOR)
def start(job_id: int) -> ResponseReturnValue:
    """Start a draft that anybody who enrols employees may start."""
    if (job := queries.find_job(job_id)) and job.kind == DEACTIVATE:
        abort(HTTPStatus.FORBIDDEN)
    return _start(job_id, by_admin=False)


@bp.post("/<int:job_id>/deactivate")
@confirmed(ADMIN)
def deactivate(job_id: int) -> ResponseReturnValue:
    """Start the deactivation of many."""
    if (job := queries.find_job(job_id)) and job.kind != DEACTIVATE:
        abort(HTTPStatus.NOT_FOUND)
    return _start(job_id, by_admin=True)


@bp.post("/<int:job_id>/remove")
@confirmed(ADMIN)
def remove(job_id: int) -> ResponseReturnValue:
    """Start a change of department, though many lose access."""
    if (job := queries.find_job(job_id)) and job.kind != DEPARTMENT:
        abort(HTTPStatus.NOT_FOUND)
    return _start(job_id, by_admin=True)


@resubmission.restores("jobs.start", "jobs.deactivate", "jobs.remove")
def typed_again(fields: MultiDict[str, str], job_id: int) -> ResponseReturnValue:
    """Show the preview again as it was filled."""
    job = draft_or_404(job_id)
    return _page(job, _form_of(job, formdata=fields))


def _start(job_id: int, *, by_admin: bool) -> ResponseReturnValue:
    """Start a draft and show the job; the second click of a double click shows the job that the first one started."""
    job = queries.find_job(job_id) or abort(404)
    if job.state == DRAFT:
        form = _form_of(job)
        if job.kind == PRINT or not job.total:
            abort(HTTPStatus.CONFLICT)
        if not form.validate():
            return _page(job, form, HTTPStatus.UNPROCESSABLE_ENTITY)
        agreed, params = Confirmation(row_id(form.confirm.data), by_admin), _params_of(form)
        try:
            claim = drafts.start(job, params, agreed, form.shown.data or "")
        except ServiceError as error:
            return _refused(job, form, error)
        if claim:
            if "department" in params:
                flash_spelling(form.params["department"], params["department"])
            tasks.enqueue_job(claim)
    return redirect(url_for(".show", job_id=job_id), 303)


def _form_of(job: Job, **options: Any) -> JobForm:
    """Return the form that asks how the job is done.

    :param options: `formdata`, when the form is not filled from the request.
    """
    if job.kind == DEPARTMENT:
        return DepartmentForm(**options)
    if job.kind == EXPORT:
        return ExportForm(**options)
    if job.kind != SEND:
        return JobForm(**options)
    form = SendForm(**options)
    form.offer(terminal for terminal in registry.list_active() if job.terminal_id in {None, terminal.id})
    return form


def _params_of(form: JobForm) -> dict[str, Any]:
    """Return what the form asks for, with a department in the known spelling."""
    typed = form.params.get("department")
    return {**form.params, "department": departments.find(typed) or typed} if typed else form.params


def _refused(job: Job, form: JobForm, error: ServiceError) -> Response:
    """Answer the preview with what groups give and take, and who loses access, where that is not agreed yet."""
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    if isinstance(error, PlanChanged):
        flash_plan_changed(form)
    elif isinstance(error, UnsafePlan):
        form.confirm.errors = [error_sentence(error)]
    else:
        flash(error_sentence(error), "danger")
        status = error.meaning.page_status
    return _page(job, form, status)


def _page(job: Job, form: JobForm | None = None, status: int = HTTPStatus.OK) -> Response:
    """Answer the preview, with the form as it was filled, and with what groups give and take by it."""
    terminal = registry.find_terminal(job.terminal_id) if job.terminal_id else None
    differences = None
    if isinstance(form, DepartmentForm) and not form.department.errors:
        differences = drafts.differences(job, form.department.data or "")
    shown = {
        "terminal": terminal,
        "plan": send_preview.of_job(job.id, terminal) if terminal else None,
        "form": form or _form_of(job, formdata=None),
        "people": drafts.people(job.id, MAX_NAMES),
        "terminals": registry.list_active(),
        "departments": departments.names,
        "differences": differences,
        "losses": agreement.of_rest(job),
    }
    return make_response(render_template("jobs/draft.html", job=job, **shown), status)
