"""The operator's own account: change the password, list and end sessions, sign out everywhere."""

from http import HTTPStatus

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError

from hikflask.forms.account import CodeForm, NewPasswordForm
from hikflask.http.permissions import VIEWER, allow
from hikflask.messages import error_sentence
from hikflask.services.accounts import operators, second_factor, sessions
from hikflask.services.accounts.errors import LdapDecides, PasswordWrong, TryLater
from hikflask.services.core.errors import ServiceError
from hikflask.web.security import cookies, current_operator, forgery, password_prompt, resubmission
from hikflask.web.support.responses import refuse
from hikflask.web.support.urls import next_or

bp = Blueprint("account", __name__, url_prefix="/account")


@bp.get("/")
@allow(VIEWER)
def show() -> ResponseReturnValue:
    """The operator's name and role, the second factor, and the open sessions."""
    return page(CodeForm(formdata=None))


def page(form: CodeForm, status: int = 200) -> Response:
    """Answer the page of the account; a code is asked for before the second factor is changed."""
    person = current_operator.required()
    has_factor = second_factor.has(person.operator_id)
    codes_left = second_factor.codes_left(person.operator_id) if has_factor else 0
    context = {"sessions": sessions.list_open(person.operator_id), "has_factor": has_factor, "codes_left": codes_left}
    return make_response(render_template("account/show.html", form=form, **context), status)


@bp.get("/password")
@allow(VIEWER)
def password() -> ResponseReturnValue:
    """The form for a new password."""
    if not current_operator.required().is_local:
        return _refuse_ldap()
    return _form(NewPasswordForm(formdata=None))


@bp.post("/password")
@allow(VIEWER)
def change_password() -> ResponseReturnValue:
    """Change the password; every other session ends, and this one gets a new key."""
    form, person, next_path = NewPasswordForm(), current_operator.required(), _next()
    if not person.is_local:
        return _refuse_ldap()
    if not form.validate():
        return _form(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        sessions.refuse_wrong_password(person, form.password.data)
        operators.set_password(person.operator_id, form.new_password.data, keep_session=person.session_id)
    except ServiceError as error:
        field = form.password if isinstance(error, PasswordWrong | TryLater) else form.new_password
        return _form(form, refuse(field, error))
    current_operator.begin_session(sessions.renew_key(person))
    flash(_("The password is changed. All other sessions have ended."))
    return cookies.remember_device(password_prompt.go_on(resubmission.carried_form(), next_path))


@bp.errorhandler(CSRFError)
def token_lost(error: CSRFError) -> ResponseReturnValue:  # noqa: ARG001 - always the same sentence
    """Ask for the passwords again; a typed form is still carried along."""
    if request.endpoint != "account.change_password":
        return forgery.answer_without_token()
    flash(_("The page was open for too long, or cookies are off. Try again."), "warning")
    return _form(NewPasswordForm(), HTTPStatus.BAD_REQUEST)


@bp.post("/sessions/<int:session_id>/end")
@allow(VIEWER)
def end_session(session_id: int) -> ResponseReturnValue:
    """End one of the operator's own sessions."""
    sessions.end_own(current_operator.required(), session_id)
    return redirect(url_for(".show"), 303)


@bp.post("/sign-out-everywhere")
@allow(VIEWER)
def sign_out_everywhere() -> ResponseReturnValue:
    """End all of the operator's sessions, this one too."""
    sessions.sign_out_everywhere(current_operator.required())
    current_operator.end_session()
    flash(_("All sessions are ended."))
    return redirect(url_for("sign_in.ask"), 303)


def _refuse_ldap() -> ResponseReturnValue:
    flash(error_sentence(LdapDecides()), "warning")
    return redirect(url_for(".show"), 303)


def _form(form: NewPasswordForm, status: int = 200) -> Response:
    return password_prompt.password_page(form, resubmission.carried_form(), status, _next())


def _next() -> str:
    """Go back to the account, or after a forced change to the page that was asked for."""
    return next_or("/" if current_operator.required().must_change_password else url_for(".show"))
