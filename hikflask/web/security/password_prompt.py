"""The questions before a request goes on: sign in, choose a new password, set up a second factor, confirm the password.

A form that was sent is carried through the question (resubmission.py).
"""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from hikflask.forms.account import ConfirmForm, FactorForm, NewPasswordForm, SignInForm
from hikflask.http import permissions
from hikflask.services.accounts import second_factor
from hikflask.web.security import current_operator, resubmission
from hikflask.web.security.resubmission import TypedForm
from hikflask.web.support import htmx
from hikflask.web.support.responses import shown_once
from hikflask.web.support.urls import page_before

SIGN_IN, CONFIRM, PASSWORD, FACTOR = "sign_in.ask", "confirmation.ask", "account.password", "second_factor.set_up"
# Where the session has the secret of a factor that is set up.
NEW_FACTOR = "factor"


def ask_to_sign_in() -> Response:
    """Answer a request without a session."""
    text = _("You were signed out meanwhile. Press the button again.")
    return _ask(SIGN_IN, "sign_in", SignInForm(formdata=None), sign_in_page, text, HTTPStatus.UNAUTHORIZED)


def ask_for_new_password() -> Response:
    """Answer a request of an operator whose password must be changed first."""
    text = _("Nothing is done yet: choose your password, then press the button again.")
    return _ask(PASSWORD, "password", NewPasswordForm(formdata=None), password_page, text, HTTPStatus.FORBIDDEN)


def ask_to_set_up_factor() -> Response:
    """Answer a request of an operator whose role must have a second factor, which is not set up yet."""
    text = _("Nothing is done yet: set up your second factor, then press the button again.")
    return _ask(FACTOR, "second_factor", FactorForm(formdata=None), factor_page, text, HTTPStatus.FORBIDDEN)


def _ask(endpoint: str, question: str, form: Any, page: Callable[..., Response], text: str, status: int) -> Response:
    """Answer a request with a question: on a page that carries the form which was sent, or to htmx in its place.

    :param question: begins the names of the templates for htmx. :param page: answers the page of the form.
    :param text: what to do, where no form is carried.
    """
    typed = resubmission.typed_in_request()
    if htmx.wants_fragment():
        return _ask_in_place(endpoint, question, form, typed, status)
    if request.method in {"GET", "HEAD"}:
        return _redirect(endpoint)
    if typed is None:
        flash(text, "warning")
    return page(form, typed, status=status, next_path=page_before())


def redirect_to_confirmation() -> Response:
    """Answer a request for a page that needs the password once more."""
    return _htmx_redirect(CONFIRM) if htmx.wants_fragment() else _redirect(CONFIRM)


def _page(template: str, form: FlaskForm, typed: TypedForm | None, status: int = 200, next_path: str = "/") -> Response:
    """Answer a page with a question, which carries a typed form along."""
    return make_response(render_template(template, form=form, carried=typed, next=next_path), status)


# The pages for name and password, for a new password, and for the code of the second factor.
sign_in_page = partial(_page, "account/sign_in.html")
password_page = partial(_page, "account/password.html")
code_page = partial(_page, "account/code.html")


def factor_page(
    form: FactorForm, typed: TypedForm | None, status: int = 200, next_path: str = "/", *, replaces: bool = False
) -> Response:
    """Answer the page that sets up a second factor, which carries a typed form along.

    :param replaces: the operator has a second factor, of which a code is asked for, too.
    """
    secret = {"replaces": replaces, **shown_factor_secret()}
    return shown_once("account/second_factor.html", status, form=form, carried=typed, next=next_path, **secret)


def confirm_page(
    form: ConfirmForm, typed: TypedForm | None, status: int = 200, next_path: str = "/", **more: object
) -> Response:
    """Answer the question for the operator's own password, as a page, or to htmx in place of the page's main part.

    :param typed: a form that is carried along and shown again afterwards.
    :param more: instead of that, the action and fields of a form that is sent together with the password.
    """
    context = {"form": form, "carried": typed, "next": next_path, **more}
    if htmx.wants_fragment():
        body = render_template("account/_confirm_password_form.html", **context)
        return htmx.retargeted(body, "#main", status, swap="innerHTML")
    return make_response(render_template("account/confirm_password.html", **context), status)


def form_as_typed(path: str) -> Response | None:
    """Answer the form of this path, filled with this request's fields; None for a path without such a form."""
    person, typed = current_operator.required(), TypedForm(path, resubmission.typed_fields())
    return confirm_first(typed, page_before()) or resubmission.show_again(typed, person, silent=True)


def confirm_first(typed: TypedForm, next_path: str, status: int = HTTPStatus.OK) -> Response | None:
    """Ask for the password where the page of a form asks for it and it was not given lately; None where it was."""
    rule = resubmission.rule_of(typed)
    if rule is None or not rule.confirmed or current_operator.required().confirmed:
        return None
    return confirm_page(ConfirmForm(formdata=None), typed, status, next_path)


def go_on(typed: TypedForm | None, next_path: str, why: str = "") -> Response:
    """Answer after the question was answered: the form as it was typed, else the page that was asked for."""
    person = current_operator.get()
    if typed and person and person.must_change_password:
        return password_page(NewPasswordForm(formdata=None), typed, next_path=next_path)
    if typed and person and person.must_set_up_factor:
        return factor_page(FactorForm(formdata=None), typed, next_path=next_path)
    response = resubmission.show_again(typed, person, why) if typed and person else None
    return response or make_response(redirect(next_path, 303))


def _ask_in_place(endpoint: str, question: str, form: Any, typed: TypedForm | None, status: int) -> Response:
    """Answer htmx: with a typed form, the question in place of the page; to polling, a redirect; else a note."""
    if typed:
        context = {"form": form, "carried": typed, "next": page_before()}
        if endpoint == FACTOR:
            context |= shown_factor_secret()
        body = render_template(f"account/_{question}_form.html", **context)
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


def factor_secret() -> str:
    """Return the secret of a second factor that is set up; a new one, unless one is being set up.

    It is in the browser's session, encrypted, until a code shows that the app has it and the session gets a new key. So
    the page shows the same QR code when it is opened again.
    """
    secret = second_factor.unsealed(session[NEW_FACTOR]) if NEW_FACTOR in session else None
    if not secret:
        secret = second_factor.new_secret()
        session[NEW_FACTOR] = second_factor.sealed(secret)
    return secret


def shown_factor_secret() -> dict[str, str]:
    """Return what the page shows: the QR code as the address of a picture, and the secret in groups of four letters."""
    import segno

    secret = factor_secret()
    address = second_factor.address_of(secret, current_operator.operator_name())
    picture = segno.make(address, error="m").svg_data_uri(scale=5, light="white")
    return {"picture": picture, "secret": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))}
