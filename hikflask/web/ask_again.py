"""Asks who is there, or for the password once more, without losing what was typed."""

from urllib.parse import urlsplit

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from hikflask import access
from hikflask.forms.sign_in import ConfirmForm, SignInForm
from hikflask.services.errors import TooOften
from hikflask.web import htmx, kept, operator
from hikflask.web.addresses import OWN_PATH
from hikflask.web.kept import Kept

UNAUTHORIZED, FORBIDDEN = 401, 403


def to_sign_in() -> Response:
    """Answer a request of nobody."""
    if htmx.wants_fragment():
        return _fragment()
    if request.method in {"GET", "HEAD"}:
        return _redirected("sign_in.ask", request.full_path.rstrip("?"))
    typed = kept.of_request()
    if typed is None:
        flash_signed_out()
    return sign_in_page(SignInForm(formdata=None), typed, status=UNAUTHORIZED, next_path=page_before())


def to_confirm() -> Response:
    """Answer a request of somebody whose password must be asked for again first."""
    if request.method in {"GET", "HEAD"}:
        return _redirected("confirmation.ask", request.full_path.rstrip("?"))
    return confirm_page(ConfirmForm(formdata=None), kept.of_request(), FORBIDDEN, page_before())


def sign_in_page(form: SignInForm, typed: Kept | None, status: int = 200, next_path: str = "/") -> Response:
    """Answer the sign-in page; what was typed elsewhere goes along."""
    return make_response(render_template("sign_in/page.html", form=form, kept=typed, next=next_path), status)


def confirm_page(form: ConfirmForm, typed: Kept | None, status: int = 200, next_path: str = "/") -> Response:
    """Answer the page that asks for the operator's own password."""
    return make_response(render_template("confirmation/page.html", form=form, kept=typed, next=next_path), status)


def page_before() -> str:
    """Return the path of the page that the request came from, else the start page."""
    return own_path(request.headers.get("HX-Current-URL") or request.referrer or "/")


def own_path(address: str) -> str:
    """Return path and query of an address, when they are those of a page here."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return path if OWN_PATH.match(path) else "/"


def _fragment() -> Response:
    """A form goes on below the question who is there; a page that asks by itself has nothing typed and may go."""
    typed = kept.of_request()
    if typed:
        form = render_template("sign_in/_form.html", form=SignInForm(formdata=None), kept=typed, next=page_before())
        return htmx.retargeted(form, "#main", UNAUTHORIZED, swap="innerHTML")
    rule = access.rule()
    if rule and not rule.counts:
        response = make_response("", UNAUTHORIZED)
        response.headers["HX-Redirect"] = url_for("sign_in.ask", next=page_before())
        return response
    return htmx.retargeted(render_template("sign_in/_note.html"), "#problem", UNAUTHORIZED, swap="innerHTML")


def _redirected(endpoint: str, path: str) -> Response:
    return make_response(redirect(url_for(endpoint, next=path if path != "/" else None), 303))


def go_on(typed: Kept | None, next_path: str) -> Response:
    """Answer after the question: the form as it was typed, else the page that was asked for."""
    person = operator.present()
    if typed and person and not person.must_change_password:
        again = kept.shown_again(typed, person)
        if again is not None:
            return make_response(again)
    return make_response(redirect(next_path, 303))


def with_retry_after(response: Response, error: TooOften) -> Response:
    """Say in the answer when the next try counts."""
    response.headers["Retry-After"] = str(error.params["seconds"])
    return response


def flash_signed_out() -> None:
    """Say why the page asks, to somebody whose button did nothing."""
    flash(_("You were signed out meanwhile. Press the button again."), "warning")
