"""Deactivating many employees at once, after a preview; for administrators."""

from http import HTTPStatus

from flask import Response, make_response, render_template
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from hikflask.forms.bulk_deactivation import NumbersForm
from hikflask.forms.jobs import JobForm
from hikflask.http.permissions import ADMIN, confirmed
from hikflask.models import Job
from hikflask.services.employees import bulk_deactivation
from hikflask.services.employees.bulk_deactivation import Leavers
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.jobs import draft as drafts
from hikflask.services.jobs.draft import make_draft
from hikflask.services.jobs.kinds import DEACTIVATE
from hikflask.web.employees.removals import bp
from hikflask.web.security import resubmission


@bp.get("/removals/bulk")
@confirmed(ADMIN)
def bulk() -> ResponseReturnValue:
    """The form for many numbers."""
    return _bulk(NumbersForm(formdata=None))


@bp.post("/removals/bulk")
@confirmed(ADMIN)
def preview() -> ResponseReturnValue:
    """Show who would be deactivated, and which numbers nobody has; nothing is done yet."""
    form = NumbersForm()
    if not form.validate():
        return _bulk(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    found = bulk_deactivation.found(form.listed)
    ids = [employee.id for employee in found.active]
    return _bulk(form, found, make_draft(DEACTIVATE, EmployeeFilter(), ids) if ids else None)


@resubmission.restores("removals.preview")
def typed_again(fields: MultiDict[str, str]) -> ResponseReturnValue:
    """Show the form again as it was typed."""
    return _bulk(NumbersForm(formdata=fields))


def _bulk(
    form: NumbersForm, found: Leavers | None = None, job: Job | None = None, status: int = HTTPStatus.OK
) -> Response:
    begun = {"job": job, "job_form": JobForm(formdata=None), "losses": drafts.losses_of(job)} if job else {}
    return make_response(render_template("employees/bulk_deactivation.html", form=form, found=found, **begun), status)
