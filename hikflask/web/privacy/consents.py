"""On what basis an employee's face is taken and kept: recorded, withdrawn, and the paper to be signed."""

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from hikflask.forms.consents import ConsentForm
from hikflask.http.permissions import ADMIN, OPERATOR, allow
from hikflask.models import Employee
from hikflask.services.employees import search
from hikflask.services.privacy import consents
from hikflask.services.privacy.consents import Given
from hikflask.web import template_context
from hikflask.web.security import resubmission

bp = Blueprint("consents", __name__)

UNPROCESSABLE = 422
ADDRESS = "/employees/<int:employee_id>/consent"


@bp.get(ADDRESS)
@allow(OPERATOR)
def show(employee_id: int) -> ResponseReturnValue:
    """The form, with what is recorded; else with this day."""
    recorded = consents.of(_employee(employee_id).id)
    today = consents.today()
    form = ConsentForm(formdata=None, obj=recorded, today=today)
    if recorded is None:
        form.given_on.data = today
    return _form(form, employee_id)


@bp.post(ADDRESS)
@allow(OPERATOR)
def record(employee_id: int) -> ResponseReturnValue:
    """Record it; what was recorded before is replaced."""
    _employee(employee_id)
    form = ConsentForm(today=consents.today())
    if not form.validate():
        return _form(form, employee_id, UNPROCESSABLE)
    consents.record(employee_id, Given(form.given_on.data, form.basis.data, form.note.data or ""))
    flash(_("The consent is recorded."))
    return _back(employee_id)


@resubmission.restores("consents.record")
def typed_again(fields: MultiDict[str, str], employee_id: int) -> ResponseReturnValue:
    """Answer the form that came when nobody was signed in any more."""
    return _form(ConsentForm(formdata=fields, today=consents.today()), employee_id)


@bp.post(f"{ADDRESS}/withdraw")
@allow(OPERATOR)
def withdraw(employee_id: int) -> ResponseReturnValue:
    """Note that it is withdrawn; what becomes of photo and terminals is decided apart."""
    _employee(employee_id)
    if consents.withdraw(employee_id):
        flash(_what_follows(employee_id), "warning")
    return _back(employee_id)


@bp.get(f"{ADDRESS}/print")
@allow(OPERATOR)
def printed(employee_id: int) -> ResponseReturnValue:
    """The paper to be signed, with the employee's name; `?lang=` says in which language."""
    return _paper(_employee(employee_id))


@bp.get("/consent/print")
@allow(OPERATOR)
def blank() -> ResponseReturnValue:
    """The paper to be signed, with blanks."""
    return _paper(None)


def _what_follows(employee_id: int) -> str:
    """Say what a withdrawal asks for, with the way to it for those who may go it."""
    if not template_context.may(ADMIN):
        return str(_("The consent is withdrawn. Photo and records must be erased now: tell an administrator."))
    text = _("The consent is withdrawn. Photo and records must be erased now:")
    return template_context.with_link(text, url_for("erasures.ask", employee_id=employee_id), _("Erase everywhere"))


def _employee(employee_id: int) -> Employee:
    return search.get(employee_id) or abort(404)


def _form(form: ConsentForm, employee_id: int, status: int = 200) -> Response:
    known = {"form": form, "employee": _employee(employee_id), "consent": consents.of(employee_id)}
    return make_response(render_template("privacy/consent_form.html", **known), status)


def _paper(employee: Employee | None) -> str:
    return render_template("privacy/consent_paper.html", employee=employee)


def _back(employee_id: int) -> ResponseReturnValue:
    return redirect(url_for("employees.show", employee_id=employee_id), 303)
