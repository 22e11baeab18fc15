"""The questions before a request goes on: sign in, choose a new password, set up a second factor, confirm the password.

A form that was sent is carried through the question (resubmission.py).
"""

from http import HTTPStatus

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from hikflask.forms.account import CodeForm, ConfirmForm, FactorForm, NewPasswordForm, SignInForm
from hikflask.http import permissions
from hikflask.web.security import current_operator, factor_secret, resubmission
from hikflask.web.security.resubmission import TypedForm
from hikflask.web.support import htmx
from hikflask.web.support.urls import page_before

SIGN_IN, CONFIRM, PASSWORD, FACTOR = "sign_in.ask", "confirmation.ask", "account.password", "second_factor.set_up"


def ask_to_sign_in() -> Response:
    """Answer a request without a session."""
    typed = resubmission.typed_in_request()
    if htmx.wants_fragment():
        form = {"form": SignInForm(formdata=None), "carried": typed}
        return _ask_in_place(SIGN_IN, "sign_in", HTTPStatus.UNAUTHORIZED, **form)
    if _is_safe_method():
        return _redirect(SIGN_IN)
    if typed is None:
        flash(_("You were signed out meanwhile. Press the button again."), "warning")
    return sign_in_page(SignInForm(formdata=None), typed, status=HTTPStatus.UNAUTHORIZED, next_path=page_before())


def ask_for_new_password() -> Response:
    """Answer a request of an operator whose password must be changed first."""
    typed = resubmission.typed_in_request()
    if htmx.wants_fragment():
        form = {"form": NewPasswordForm(formdata=None), "carried": typed}
        return _ask_in_place(PASSWORD, "password", HTTPStatus.FORBIDDEN, **form)
    if _is_safe_method():
        return _redirect(PASSWORD)
    if typed is None:
        flash(_("Nothing is done yet: choose your password, then press the button again."), "warning")
    return password_page(NewPasswordForm(formdata=None), typed, status=HTTPStatus.FORBIDDEN, next_path=page_before())


def ask_to_set_up_factor() -> Response:
    """Answer a request of an operator whose role must have a second factor, which is not set up yet."""
    typed = resubmission.typed_in_request()
    if htmx.wants_fragment():
        form = {"form": FactorForm(formdata=None), "carried": typed, **factor_secret.shown()}
        return _ask_in_place(FACTOR, "second_factor", HTTPStatus.FORBIDDEN, **form)
    if _is_safe_method():
        return _redirect(FACTOR)
    if typed is None:
        flash(_("Nothing is done yet: set up your second factor, then press the button again."), "warning")
    return factor_page(FactorForm(formdata=None), typed, status=HTTPStatus.FORBIDDEN, next_path=page_before())


def redirect_to_confirmation() -> Response:
    """Answer a request for a page that needs the password once more."""
    if htmx.wants_fragment():
        return _htmx_redirect(CONFIRM)
    return _redirect(CONFIRM)


def sign_in_page(form: SignInForm, typed: TypedForm | None, status: int = 200, next_path: str = "/") -> Response:
    """Answer the sign-in page, which carries a typed form along."""
    return make_response(render_template("account/sign_in.html", form=form, carried=typed, next=next_path), status)


def password_page(form: NewPasswordForm, typed: TypedForm | None, status: int = 200, next_path: str = "/") -> Response:
    """Answer the page for a new password, which carries a typed form along."""
    return make_response(render_template("account/password.html", form=form, carried=typed, next=next_path), status)


def code_page(form: CodeForm, typed: TypedForm | None, status: int = 200, next_path: str = "/") -> Response:
    """Answer the question for the code of the second factor, which carries a typed form along."""
    return make_response(render_template("account/code.html", form=form, carried=typed, next=next_path), status)


def factor_page(
    form: FactorForm, typed: TypedForm | None, status: int = 200, next_path: str = "/", *, replaces: bool = False
) -> Response:
    """Answer the page that sets up a second factor, which carries a typed form along.

    :param replaces: there is one, of which a code is asked for, too.
    """
    known = {"form": form, "carried": typed, "next": next_path, "replaces": replaces, **factor_secret.shown()}
    response = make_response(render_template("account/second_factor.html", **known), status)
    response.headers["Cache-Control"] = "no-store"
    return response


def confirm_page(
    form: ConfirmForm, typed: TypedForm | None, status: int = 200, next_path: str = "/", **more: object
) -> Response:
    """Answer the question for the operator's own password, as a page, or to htmx in place of the page's main part.

    :param typed: a form that is carried along and shown again afterwards.
    :param more: instead of that, the action and fields of a form that is sent together with the password.
    """
    known = {"form": form, "carried": typed, "next": next_path, **more}
    if htmx.wants_fragment():
        body = render_template("account/_confirm_password_form.html", **known)
        return htmx.retargeted(body, "#main", status, swap="innerHTML")
    return make_response(render_template("account/confirm_password.html", **known), status)


def form_as_typed(path: str) -> Response | None:
    """Answer the form that is sent to this path, filled with this request's fields; None if it is no form of ours."""
    person, typed = current_operator.required(), TypedForm(path, resubmission.typed_fields())
    rule = resubmission.rule_of(typed)
    if rule and rule.confirmed and not person.confirmed:
        return confirm_page(ConfirmForm(formdata=None), typed, next_path=page_before())
    return resubmission.show_again(typed, person, silent=True)


def go_on(typed: TypedForm | None, next_path: str, why: str = "") -> Response:
    """Answer after the question was answered: the form as it was typed, else the page that was asked for."""
    person = current_operator.get()
    if typed and person and person.must_change_password:
        return password_page(NewPasswordForm(formdata=None), typed, next_path=next_path)
    if typed and person and person.must_set_up_factor:
        return factor_page(FactorForm(formdata=None), typed, next_path=next_path)
    again = resubmission.show_again(typed, person, why) if typed and person else None
    return again or make_response(redirect(next_path, 303))


def _is_safe_method() -> bool:
    return request.method in {"GET", "HEAD"}


def _ask_in_place(endpoint: str, question: str, status: int, **known: object) -> Response:
    """Answer htmx: with a typed form, the question in place of the page; to polling, a redirect; else a note."""
    if known["carried"]:
        body = render_template(f"account/_{question}_form.html", next=page_before(), **known)
        return htmx.retargeted(body, "#main", status, swap="innerHTML")
    rule = permissions.rule()
    if rule and not rule.is_activity:
        return _htmx_redirect(endpoint, status)
    return htmx.retargeted(render_template(f"account/_{question}_note.html"), "#problem", status, swap="innerHTML")


def _htmx_redirect(endpoint: str, status: int = HTTPStatus.FORBIDDEN) -> Response:
    """Make htmx open the question, which leads back to the page that is shown."""
    response = make_response("", status)
    response.headers["HX-Redirect"] = url_for(endpoint, next=page_before())
    return response


def _redirect(endpoint: str) -> Response:
    path = request.full_path.rstrip("?")
    return make_response(redirect(url_for(endpoint, next=path if path != "/" else None), 303))
