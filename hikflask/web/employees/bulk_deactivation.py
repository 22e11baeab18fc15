"""Deactivating many employees at once, after a preview; for administrators."""

from http import HTTPStatus

from flask import Response, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from hikflask.background import tasks
from hikflask.forms.bulk_deactivation import NumbersForm
from hikflask.http.permissions import ADMIN, confirmed
from hikflask.services.employees import bulk_deactivation
from hikflask.services.employees.bulk_deactivation import Leavers
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
    return _bulk(form, bulk_deactivation.found(form.listed))


@bp.post("/removals/bulk/do")
@confirmed(ADMIN)
def deactivate() -> ResponseReturnValue:
    """Deactivate those that the preview showed, and begin with the terminals at once."""
    form = NumbersForm()
    if not form.validate():
        return _bulk(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    deactivated = bulk_deactivation.deactivate(form.listed)
    tasks.enqueue_due(deactivated.due)
    flash(_("Deactivated: %(n)s.", n=len(deactivated.row)))
    return redirect(url_for(".index"), 303)


@resubmission.restores("removals.preview", "removals.deactivate")
def typed_again(fields: MultiDict[str, str]) -> ResponseReturnValue:
    """Show the form again as it was typed."""
    return _bulk(NumbersForm(formdata=fields))


def _bulk(form: NumbersForm, found: Leavers | None = None, status: int = 200) -> Response:
    return make_response(render_template("employees/bulk_deactivation.html", form=form, found=found), status)
