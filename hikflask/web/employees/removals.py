"""Open removals, whose numbers may still open doors, and the deactivation of many employees at once."""

from http import HTTPStatus

from flask import Blueprint, Response, make_response, render_template
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from hikflask.forms.employees import NumbersForm
from hikflask.forms.jobs import JobForm
from hikflask.http.permissions import ADMIN, VIEWER, allow, confirmed
from hikflask.labels.enrolments import status_of
from hikflask.models import Job
from hikflask.services.cards import registry as cards
from hikflask.services.changes.kinds import DEACTIVATE
from hikflask.services.employees import search, selection
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.search import Listed
from hikflask.services.employees.selection import make_draft
from hikflask.services.enrolments import queries
from hikflask.web.security import resubmission
from hikflask.web.support import attention_counts, htmx
from hikflask.web.support.pagination import paginate

bp = Blueprint("removals", __name__)

MAX_LOST = 50


@bp.get("/removals/")
@allow(VIEWER)
def index() -> ResponseReturnValue:
    """The open removals, the oldest first."""
    return render_template("employees/removals.html", **_context())


@bp.get("/removals/state")
@allow(VIEWER, is_activity=False)
def state() -> ResponseReturnValue:
    """The part of the page that polls."""
    return htmx.with_bar(render_template("employees/_removals.html", **_context()))


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
    listed = search.by_numbers(form.listed)
    ids = [employee.id for employee in listed.active]
    return _bulk(form, listed, make_draft(DEACTIVATE, EmployeeFilter(), ids) if ids else None)


@resubmission.restores("removals.preview")
def typed_again(fields: MultiDict[str, str]) -> ResponseReturnValue:
    """Show the form again as it was typed."""
    return _bulk(NumbersForm(formdata=fields))


def _bulk(
    form: NumbersForm, listed: Listed | None = None, job: Job | None = None, status: int = HTTPStatus.OK
) -> Response:
    about = {"job": job, "job_form": JobForm(formdata=None), "losses": selection.leaving(job)} if job else {}
    return make_response(render_template("employees/bulk_deactivation.html", form=form, found=listed, **about), status)


def _context() -> dict[str, object]:
    page = paginate(lambda limit, place: (queries.page_of_removals(limit, place), attention_counts.get().removals))
    lost = cards.lost(MAX_LOST) if attention_counts.get().lost_cards else []
    return {"found": page, "lines": [status_of(enrolment) for enrolment in page.rows], "lost_cards": lost}
