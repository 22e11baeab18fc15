"""Who may still open doors: removals that no terminal confirmed yet; and many at once, for administrators."""

from flask import Blueprint, Response, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from hikflask.background import tasks
from hikflask.forms.removals import NumbersForm
from hikflask.http.permissions import ADMIN, VIEWER, allow, confirmed
from hikflask.services.employees import bulk_deactivation
from hikflask.services.employees.bulk_deactivation import Leavers
from hikflask.services.enrolments import queries
from hikflask.web.employees import enrolment_lines
from hikflask.web.security import resubmission

bp = Blueprint("removals", __name__)

UNPROCESSABLE = 422


@bp.get("/removals/")
@allow(VIEWER)
def index() -> ResponseReturnValue:
    """All open removals, the oldest first."""
    lines = [enrolment_lines.line(enrolment) for enrolment in queries.open_removals()]
    return render_template("employees/removals.html", lines=lines)


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
        return _bulk(form, status=UNPROCESSABLE)
    return _bulk(form, bulk_deactivation.found(form.listed))


@bp.post("/removals/bulk/do")
@confirmed(ADMIN)
def deactivate() -> ResponseReturnValue:
    """Deactivate those that the preview showed, and begin with the terminals at once."""
    form = NumbersForm()
    if not form.validate():
        return _bulk(form, status=UNPROCESSABLE)
    deactivated = bulk_deactivation.deactivate(form.listed)
    tasks.enqueue_due(deactivated.due)
    flash(_("Deactivated: %(n)s.", n=len(deactivated.row)))
    return redirect(url_for(".index"), 303)


@resubmission.restores("removals.preview", "removals.deactivate")
def typed_again(fields: MultiDict[str, str]) -> ResponseReturnValue:
    """Answer the form that came when nobody was signed in any more."""
    return _bulk(NumbersForm(formdata=fields))


def _bulk(form: NumbersForm, found: Leavers | None = None, status: int = 200) -> Response:
    return make_response(render_template("employees/bulk_deactivation.html", form=form, found=found), status)
