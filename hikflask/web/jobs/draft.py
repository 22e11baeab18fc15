"""The page of a draft: what will be done, to how many and to whom, and what must be chosen first."""

from typing import Any

from flask import Response, make_response, render_template

from hikflask.forms.fields import row_id
from hikflask.forms.jobs import DepartmentForm, ExportForm, JobForm, SendForm
from hikflask.models import Job
from hikflask.services.core.errors import PlanChanged, UnsafePlan
from hikflask.services.departments import registry as departments
from hikflask.services.groups import changing
from hikflask.services.groups.differences import Differences
from hikflask.services.jobs import queries
from hikflask.services.jobs.kinds import DEPARTMENT, EXPORT, SEND
from hikflask.services.provisioning import plan
from hikflask.services.terminals import registry
from hikflask.web.jobs import words
from hikflask.web.support import spelling
from hikflask.web.support.messages import error_sentence
from hikflask.web.support.shown import say_changed

MOST_NAMES = 50


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
    """Return what the form asks for, with a department in the known spelling; the next page says which."""
    typed = form.params.get("department")
    if not typed:
        return form.params
    known = departments.find(typed) or typed
    spelling.say(typed, known)
    return {**form.params, "department": known}


def changes_to_show(job: Job, form: JobForm) -> Differences | None:
    """Return what groups of terminals give and take by another department, unless that was shown and confirmed."""
    if not isinstance(form, DepartmentForm):
        return None
    typed = form.department.data or ""
    found = changing.preview_of_department(queries.people_of(job.id), departments.find(typed) or typed)
    try:
        found.require_agreed(form.shown.data, row_id(form.confirm.data))
    except PlanChanged:
        say_changed(form)
        return found
    except UnsafePlan as error:
        form.confirm.errors = [error_sentence(error)]
        return found
    return None


def page(job: Job, form: JobForm | None = None, status: int = 200, found: Differences | None = None) -> Response:
    """Answer the preview, with the form as it was filled, and with what groups give and take by it."""
    terminal = registry.get(job.terminal_id) if job.terminal_id else None
    known = {
        "terminal": terminal,
        "plan": plan.of_job(job.id, terminal) if terminal else None,
        "form": form or form_of(job, formdata=None),
        "people": queries.people(job.id, MOST_NAMES),
        "terminals": registry.list_active(),
        "departments": departments.names,
        "found": found,
    }
    return make_response(render_template("jobs/draft.html", job=job, words=words, **known), status)
