"""The second factor: its code at the sign-in, and its set-up, recovery codes and end in the operator's account."""

from http import HTTPStatus

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError

from hikflask.forms.account import CodeForm, FactorForm, SignInForm
from hikflask.http.permissions import VIEWER, allow, confirmed, public
from hikflask.messages import error_sentence
from hikflask.services.accounts import second_factor, sessions
from hikflask.services.accounts.errors import FactorCodeWrong, SignInRefused, TryLater
from hikflask.services.core.errors import ServiceError
from hikflask.web.account import account
from hikflask.web.security import cookies, current_operator, forgery, password_prompt, resubmission
from hikflask.web.security.resubmission import TypedForm
from hikflask.web.support.locale import remember_language
from hikflask.web.support.responses import refuse, shown_once
from hikflask.web.support.urls import next_or

bp = Blueprint("second_factor", __name__)


@bp.get("/sign-in/code")
@public
def ask() -> ResponseReturnValue:
    """The question for the code, once the password was right; else the sign-in page."""
    if current_operator.pending() is None:
        return _from_the_start(HTTPStatus.OK)
    response = password_prompt.code_page(CodeForm(formdata=None), None, next_path=next_or())
    remember_language(response, request.args.get("lang"))
    return response


@bp.post("/sign-in/code")
@public
def check() -> ResponseReturnValue:
    """Sign in with the code, and go on where the question for the password was asked."""
    form, typed, pending = CodeForm(), resubmission.carried_form(), current_operator.pending()
    if pending is None:
        return _from_the_start(HTTPStatus.UNPROCESSABLE_ENTITY)
    if not form.validate():
        return _again(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    address = request.remote_addr or ""
    try:
        key = second_factor.open_session(pending, form.code.data, address, cookies.device())
    except (FactorCodeWrong, TryLater) as error:
        refuse(form.code, error)
        return _again(form, HTTPStatus.UNAUTHORIZED)
    except SignInRefused:
        return _from_the_start(HTTPStatus.UNAUTHORIZED)
    current_operator.begin_session(key)
    return cookies.remember_device(password_prompt.go_on(typed, next_or(), _("You are signed in again.")))


@bp.get("/account/second-factor")
@confirmed(VIEWER)
def set_up() -> ResponseReturnValue:
    """The QR code for the app, and the field for the first code."""
    return _set_up_page(FactorForm(formdata=None), None)


@bp.post("/account/second-factor")
@confirmed(VIEWER)
def enrol() -> ResponseReturnValue:
    """Set up the second factor, and show the recovery codes once; all other sessions end."""
    form, person, typed = FactorForm(), current_operator.required(), resubmission.carried_form()
    if not form.validate():
        return _set_up_page(form, typed, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        codes = second_factor.set_up(
            person, password_prompt.factor_secret(), form.code.data, form.present_code.data or ""
        )
    except (FactorCodeWrong, TryLater) as error:
        field = form[error.fields[0]] if isinstance(error, FactorCodeWrong) else form.code
        return _set_up_page(form, typed, refuse(field, error))
    except SignInRefused:
        return _from_the_start(HTTPStatus.UNAUTHORIZED)
    # A new key, and the session as it is now: all devices are unknown again.
    current_operator.begin_session(sessions.renew_key(person))
    return cookies.remember_device(_codes(codes))


@bp.post("/account/second-factor/codes")
@confirmed(VIEWER)
def new_codes() -> ResponseReturnValue:
    """Make new recovery codes, and show them once."""
    form = CodeForm()
    if not form.validate():
        return account.page(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        return _codes(second_factor.new_codes(current_operator.required(), form.code.data))
    except ServiceError as error:
        return _refused(form, error)


@bp.post("/account/second-factor/off")
@confirmed(VIEWER)
def switch_off() -> ResponseReturnValue:
    """Switch the operator's own second factor off."""
    form = CodeForm()
    if not form.validate():
        return account.page(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        second_factor.switch_off(current_operator.required(), form.code.data)
    except ServiceError as error:
        return _refused(form, error)
    flash(_("The second factor is switched off. All other sessions have ended."))
    return redirect(url_for("account.show"), 303)


@bp.post("/account/second-factor/go-on")
@allow(VIEWER)
def go_on() -> ResponseReturnValue:
    """Go on after the recovery codes, with the form that was typed before."""
    typed = resubmission.carried_form()
    asked = password_prompt.confirm_first(typed, next_or()) if typed else None
    return asked or password_prompt.go_on(typed, next_or())


@bp.errorhandler(CSRFError)
def token_lost(error: CSRFError) -> ResponseReturnValue:  # noqa: ARG001 - always the same sentence
    """Ask for the code again with a fresh token; a typed form is still carried along."""
    if request.endpoint != "second_factor.check":
        return forgery.answer_without_token()
    flash(_("The page was open for too long, or cookies are off. Try again."), "warning")
    return _again(CodeForm(), HTTPStatus.BAD_REQUEST)


def _again(form: CodeForm, status: int = 200) -> Response:
    return password_prompt.code_page(form, resubmission.carried_form(), status, next_or())


def _from_the_start(status: int) -> Response:
    """Ask for the name and the password: the code was not given in time, or the session has ended."""
    if status != HTTPStatus.OK:
        flash(_("It took too long. Sign in again."), "warning")
    return password_prompt.sign_in_page(SignInForm(formdata=None), resubmission.carried_form(), status, next_or())


def _codes(codes: list[str]) -> Response:
    carried, next_path = resubmission.carried_form(), next_or("/account/")
    return shown_once("account/recovery_codes.html", codes=codes, carried=carried, next=next_path)


def _set_up_page(form: FactorForm, typed: TypedForm | None, status: int = 200) -> Response:
    replaces = second_factor.has(current_operator.required().operator_id)
    return password_prompt.factor_page(form, typed, status, next_or(), replaces=replaces)


def _refused(form: CodeForm, error: ServiceError) -> ResponseReturnValue:
    if isinstance(error, FactorCodeWrong | TryLater):
        return account.page(form, refuse(form.code, error))
    flash(error_sentence(error), "danger")
    return redirect(url_for("account.show"), 303)
