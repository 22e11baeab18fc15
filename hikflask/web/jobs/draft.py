"""The page of a draft: what will be done, to how many and to whom, and what must be chosen first."""

from http import HTTPStatus
from typing import Any

from flask import Response, flash, make_response, render_template

from hikflask.forms.jobs import DepartmentForm, ExportForm, JobForm, SendForm
from hikflask.messages import error_sentence
from hikflask.models import Job
from hikflask.services.core import refusal_rules
from hikflask.services.core.errors import PlanChanged, ServiceError, UnsafePlan
from hikflask.services.departments import registry as departments
from hikflask.services.groups.differences import Differences
from hikflask.services.jobs import draft as drafts
from hikflask.services.jobs import queries
from hikflask.services.jobs.kinds import DEPARTMENT, EXPORT, SEND
from hikflask.services.provisioning import send_preview
from hikflask.services.terminals import registry
from hikflask.web.support.notices import flash_plan_changed, flash_spelling

MAX_NAMES = 50


def form_of(job: Job, **given: Any) -> JobForm:
    """Return the form that asks how the job is done.

    :param given: `formdata`, when the form is not filled from the request.
    """
    if job.kind == DEPARTMENT:
        return DepartmentForm(**given)
    if job.kind == EXPORT:
        return ExportForm(**given)
    if job.kind != SEND:
        return JobForm(**given)
    form = SendForm(**given)
    form.offer(one for one in registry.list_active() if job.terminal_id in {None, one.id})
    return form


def params_of(form: JobForm) -> dict[str, Any]:
    """Return what the form asks for, with a department in the known spelling."""
    typed = form.params.get("department")
    return {**form.params, "department": departments.find(typed) or typed} if typed else form.params


def started(form: JobForm, params: dict[str, Any]) -> None:
    """Say on the next page in which spelling a department is saved."""
    if "department" in params:
        flash_spelling(form.params["department"], params["department"])


def refused(job: Job, form: JobForm, error: ServiceError) -> Response:
    """Answer the preview with what groups give and take, and who loses access, where that is not agreed yet."""
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    if isinstance(error, PlanChanged):
        flash_plan_changed(form)
    elif isinstance(error, UnsafePlan):
        form.confirm.errors = [error_sentence(error)]
    else:
        flash(error_sentence(error), "danger")
        status = refusal_rules.page_status(error.code)
    return page(job, form, status)


def page(job: Job, form: JobForm | None = None, status: int = HTTPStatus.OK) -> Response:
    """Answer the preview, with the form as it was filled, and with what groups give and take by it."""
    terminal = registry.find_terminal(job.terminal_id) if job.terminal_id else None
    known = {
        "terminal": terminal,
        "plan": send_preview.of_job(job.id, terminal) if terminal else None,
        "form": form or form_of(job, formdata=None),
        "people": queries.people(job.id, MAX_NAMES),
        "terminals": registry.list_active(),
        "departments": departments.names,
        "found": _differences(job, form) if isinstance(form, DepartmentForm) else None,
        "losses": drafts.losses_of(job),
    }
    return make_response(render_template("jobs/draft.html", job=job, **known), status)


def _differences(job: Job, form: DepartmentForm) -> Differences | None:
    return None if form.department.errors else drafts.differences(job, form.department.data or "")
