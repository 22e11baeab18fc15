"""The consent of an employee: recorded, withdrawn, and the form to print and sign."""

from datetime import date
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from wtforms import Field

from hikflask.forms.privacy import ConsentPageForm
from hikflask.forms.versions import ChangedMeanwhile
from hikflask.http.permissions import ADMIN, OPERATOR, allow
from hikflask.labels.dates import local_day
from hikflask.models import Consent, Employee
from hikflask.services.core.dates import today
from hikflask.services.employees import search
from hikflask.services.passages.uses import uses
from hikflask.services.privacy import consents
from hikflask.services.privacy.consents import Given
from hikflask.web.security import current_operator, resubmission
from hikflask.web.support.notices import conflict, shown_value, with_link

bp = Blueprint("consents", __name__)

ADDRESS = "/employees/<int:employee_id>/consent"


@bp.get(ADDRESS)
@allow(OPERATOR)
def show(employee_id: int) -> ResponseReturnValue:
    """Show the form with the recorded consent; without one, with today's date."""
    recorded = consents.get(_employee(employee_id).id)
    form = _as_saved(recorded)
    if recorded is None:
        form.given_on.data = today()
    return _form(form, employee_id)


@bp.post(ADDRESS)
@allow(OPERATOR)
def record(employee_id: int) -> ResponseReturnValue:
    """Record the consent in place of the one that was recorded before."""
    _employee(employee_id)
    form = ConsentPageForm(today=today())
    if not form.validate():
        return _form(form, employee_id, HTTPStatus.UNPROCESSABLE_ENTITY)
    given = Given(form.given_on.data, form.basis.data, form.note.data or "")
    try:
        consents.record(employee_id, given, lambda: form.merge_saved(_as_saved(consents.get(employee_id))))
    except ChangedMeanwhile as error:
        return _form(form, employee_id, HTTPStatus.CONFLICT, **conflict(form, error.differences, _shown_value))
    flash(_("The consent is recorded."))
    return _back(employee_id)


@resubmission.restores("consents.record")
def typed_again(fields: MultiDict[str, str], employee_id: int) -> ResponseReturnValue:
    """Answer the form that was sent after the session had ended."""
    return _form(ConsentPageForm(formdata=fields, today=today()), employee_id)


@bp.post(f"{ADDRESS}/withdraw")
@allow(OPERATOR)
def withdraw(employee_id: int) -> ResponseReturnValue:
    """Delete the recorded consent; photo and terminals stay until somebody erases the employee."""
    _employee(employee_id)
    if not consents.withdraw(employee_id):
        return _back(employee_id)
    if current_operator.may(ADMIN):
        text = _("The consent is withdrawn. Photo and records must be erased now:")
        flash(with_link(text, url_for("erasures.ask", employee_id=employee_id), _("Erase all data")), "warning")
    else:
        flash(_("The consent is withdrawn. Photo and records must be erased now: tell an administrator."), "warning")
    return _back(employee_id)


@bp.get(f"{ADDRESS}/print")
@allow(OPERATOR)
def printed(employee_id: int) -> ResponseReturnValue:
    """Show the form to print and sign, with the employee's name, in the language of `?lang=`."""
    return render_template("privacy/consent_to_sign.html", employee=_employee(employee_id), uses=uses())


@bp.get("/consent/print")
@allow(OPERATOR)
def blank() -> ResponseReturnValue:
    """Show the form to print and sign, without a name."""
    return render_template("privacy/consent_to_sign.html", employee=None, uses=uses())


def _employee(employee_id: int) -> Employee:
    return search.get(employee_id) or abort(404)


def _as_saved(consent: Consent | None) -> ConsentPageForm:
    """Return the form with what is recorded now, and its version."""
    return ConsentPageForm(formdata=None, obj=consent, today=today()).as_saved()


def _shown_value(field: Field, value: Any) -> str:
    """Return the value of a field as the page shows it: a day in words."""
    day = date.fromisoformat(value) if field.name == "given_on" and value else None
    return local_day(day) if day else shown_value(field, value)


def _form(form: ConsentPageForm, employee_id: int, status: int = 200, **about: object) -> Response:
    about |= {"form": form, "employee": _employee(employee_id), "consent": consents.get(employee_id)}
    return make_response(render_template("privacy/record_consent.html", **about), status)


def _back(employee_id: int) -> ResponseReturnValue:
    return redirect(url_for("employees.show", employee_id=employee_id), 303)
