"""Sign-in and sign-out."""

from functools import partial
from http import HTTPStatus

from flask import Blueprint, Response, current_app, flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError

from hikflask.forms.account import CodeForm, SignInForm
from hikflask.http.permissions import VIEWER, allow, public
from hikflask.services.accounts import operators, sessions
from hikflask.services.accounts.errors import SignInRefused, TryLater
from hikflask.web.security import cookies, current_operator, password_prompt, resubmission
from hikflask.web.support.locale import remember_language
from hikflask.web.support.responses import refuse
from hikflask.web.support.urls import next_or

bp = Blueprint("sign_in", __name__)


@bp.get("/sign-in")
@public
def ask() -> ResponseReturnValue:
    """The sign-in page, in the language that ?lang= asks for."""
    if not operators.exist():
        return redirect(url_for("first_run.ask"), 303)
    if current_operator.get():
        return redirect(next_or(), 303)
    response = password_prompt.sign_in_page(SignInForm(formdata=None), None, next_path=next_or())
    remember_language(response, request.args.get("lang"))
    return response


@bp.post("/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    """Sign in, and go on where the question was asked."""
    form, typed = SignInForm(), resubmission.carried_form()
    page = partial(password_prompt.sign_in_page, form, typed, next_path=next_or())
    if not form.validate():
        return page(HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        key = sessions.sign_in(form.name.data, form.password.data, request.remote_addr or "", cookies.device())
    except (SignInRefused, TryLater) as error:
        refuse(form.password, error)
        return page(HTTPStatus.UNAUTHORIZED)
    before = current_operator.get()
    if before:
        sessions.sign_out(before)
    if sessions.find_pending(key):
        current_operator.begin_pending(key)
        if typed:
            return password_prompt.code_page(CodeForm(formdata=None), typed, next_path=next_or())
        return redirect(url_for("second_factor.ask", next=next_or()), 303)
    current_operator.begin_session(key)
    return cookies.remember_device(password_prompt.go_on(typed, next_or(), _("You are signed in again.")))


@bp.post("/sign-out")
@allow(VIEWER)
def sign_out() -> ResponseReturnValue:
    """End this session."""
    sessions.sign_out(current_operator.required())
    current_operator.end_session()
    response = make_response(redirect(url_for(".ask"), 303))
    # The next person at this computer must not see these pages with the back button.
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@bp.errorhandler(CSRFError)
def token_lost(error: CSRFError) -> Response:  # noqa: ARG001 - always the same sentence
    """Ask again with a fresh token; a typed form is still carried along."""
    current_app.logger.info("a sign-in came without its token")
    flash(_("The page was open for too long, or cookies are off. Try again."), "warning")
    return password_prompt.sign_in_page(SignInForm(), resubmission.carried_form(), HTTPStatus.BAD_REQUEST, next_or())
