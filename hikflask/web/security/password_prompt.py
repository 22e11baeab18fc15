"""Asks who is there, for the password once more or for another one, without losing what was typed."""

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from hikflask.forms.sign_in import ConfirmForm, NewPasswordForm, SignInForm
from hikflask.http import permissions
from hikflask.web.security import current_operator, resubmission
from hikflask.web.security.resubmission import Kept
from hikflask.web.support import htmx
from hikflask.web.support.urls import page_before

BAD_REQUEST, UNAUTHORIZED, FORBIDDEN = 400, 401, 403
SIGN_IN, CONFIRM, PASSWORD = "sign_in.ask", "confirmation.ask", "account.password"


def to_sign_in() -> Response:
    """Answer a request of nobody."""
    typed = resubmission.of_request()
    if htmx.wants_fragment():
        form = {"form": SignInForm(formdata=None), "kept": typed}
        return _in_place(SIGN_IN, "sign_in", UNAUTHORIZED, **form)
    if _only_looks():
        return _redirected(SIGN_IN)
    if typed is None:
        flash(_("You were signed out meanwhile. Press the button again."), "warning")
    return sign_in_page(SignInForm(formdata=None), typed, status=UNAUTHORIZED, next_path=page_before())


def to_change_password() -> Response:
    """Answer a request of somebody whose password must be changed first."""
    typed = resubmission.of_request()
    if htmx.wants_fragment():
        form = {"form": NewPasswordForm(formdata=None), "kept": typed}
        return _in_place(PASSWORD, "password", FORBIDDEN, **form)
    if _only_looks():
        return _redirected(PASSWORD)
    if typed is None:
        flash(_("Nothing is done yet: choose your password, then press the button again."), "warning")
    return password_page(NewPasswordForm(formdata=None), typed, status=FORBIDDEN, next_path=page_before())


def to_confirm() -> Response:
    """Answer a request for a page that is opened after the password was asked for again."""
    if htmx.wants_fragment():
        return _led(CONFIRM)
    return _redirected(CONFIRM)


def sign_in_page(form: SignInForm, typed: Kept | None, status: int = 200, next_path: str = "/") -> Response:
    """Answer the sign-in page; what was typed elsewhere goes along."""
    return make_response(render_template("account/sign_in.html", form=form, kept=typed, next=next_path), status)


def password_page(form: NewPasswordForm, typed: Kept | None, status: int = 200, next_path: str = "/") -> Response:
    """Answer the page for another password; what was typed elsewhere goes along."""
    return make_response(render_template("account/password.html", form=form, kept=typed, next=next_path), status)


def confirm_page(form: ConfirmForm, typed: Kept | None, status: int = 200, next_path: str = "/") -> Response:
    """Answer the page that asks for the operator's own password, and then shows what was typed again."""
    return confirmation(status, form=form, kept=typed, next=next_path)


def confirmation(status: int, **known: object) -> Response:
    """Answer the question for the operator's own password, as a page or below the page that asked."""
    if htmx.wants_fragment():
        return htmx.retargeted(
            render_template("account/_confirm_password_form.html", **known), "#main", status, swap="innerHTML"
        )
    return make_response(render_template("account/confirm_password.html", **known), status)


def token_lost() -> Response | None:
    """Answer a form whose token is of another session, as after signing in again in another tab: as it was typed.

    Where nothing typed could be lost, or htmx leaves the form where it is, return None.
    """
    person, typed, rule = current_operator.present(), resubmission.of_request(), permissions.rule()
    if person is None or typed is None or rule is None or htmx.wants_fragment():
        return None
    if rule.confirmed and not person.confirmed:
        return confirm_page(ConfirmForm(formdata=None), typed, BAD_REQUEST, page_before())
    again = resubmission.shown_again(typed, person, _("The page was open for too long, or cookies are off."))
    if again is not None:
        again.status_code = BAD_REQUEST
    return again


def as_typed(path: str) -> Response | None:
    """Answer the form that goes to this path with what this request brings of it; None where it is no form of ours."""
    person, typed = current_operator.signed_in(), Kept(path, resubmission.pairs())
    rule = resubmission.rule_of(typed)
    if rule and rule.confirmed and not person.confirmed:
        return confirm_page(ConfirmForm(formdata=None), typed, next_path=page_before())
    return resubmission.shown_again(typed, person, silent=True)


def go_on(typed: Kept | None, next_path: str, why: str = "") -> Response:
    """Answer after the question: the form as it was typed, else the page that was asked for."""
    person = current_operator.present()
    if typed and person and person.must_change_password:
        return password_page(NewPasswordForm(formdata=None), typed, next_path=next_path)
    again = resubmission.shown_again(typed, person, why) if typed and person else None
    return again or make_response(redirect(next_path, 303))


def _only_looks() -> bool:
    return request.method in {"GET", "HEAD"}


def _in_place(endpoint: str, name: str, status: int, **known: object) -> Response:
    """A form goes on below the question; a page that asks by itself has nothing typed and may go; else a note."""
    if known["kept"]:
        body = render_template(f"account/_{name}_form.html", next=page_before(), **known)
        return htmx.retargeted(body, "#main", status, swap="innerHTML")
    rule = permissions.rule()
    if rule and not rule.counts:
        return _led(endpoint, status)
    return htmx.retargeted(render_template(f"account/_{name}_note.html"), "#problem", status, swap="innerHTML")


def _led(endpoint: str, status: int = FORBIDDEN) -> Response:
    """Make htmx go to the question, and from there back to the page that is shown."""
    response = make_response("", status)
    response.headers["HX-Redirect"] = url_for(endpoint, next=page_before())
    return response


def _redirected(endpoint: str) -> Response:
    path = request.full_path.rstrip("?")
    return make_response(redirect(url_for(endpoint, next=path if path != "/" else None), 303))
