"""Asks for the operator's own password before a dangerous view runs, unless it was asked for a moment ago.

The page that asks carries the form and sends it to the form's own address together with the password: when that is
right, the view runs as if nothing had been asked.
"""

from collections.abc import Callable
from http import HTTPStatus

from flask import Response, current_app, flash, make_response, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import ImmutableMultiDict

from hikflask.extensions import csrf
from hikflask.forms.account import ConfirmForm
from hikflask.http import permissions
from hikflask.http.permissions import Rule
from hikflask.labels.refusals import error_sentence
from hikflask.services.accounts import sessions
from hikflask.services.accounts.errors import PasswordWrong, TryLater
from hikflask.services.accounts.sessions import SignedIn
from hikflask.web.security import password_prompt, resubmission
from hikflask.web.support import urls
from hikflask.web.support.error_page import with_retry_after

# The fields of the question travel among those of the form, which may have a password field of its own.
PREFIX = "own_"
FIELD, PAGE = f"{PREFIX}password", f"{PREFIX}page"


def admit(person: SignedIn, rule: Rule) -> Response | None:
    """Let a request through (None) when the password was confirmed a moment ago or comes along; else ask for it.

    :raises flask_wtf.csrf.CSRFError: a form without its token is refused before the question, so that no operator
        confirms what another site sent.
    """
    if request.method != "POST":
        return None if person.confirmed else password_prompt.redirect_to_confirmation()
    given, page = FIELD in request.form, _page()
    if not person.confirmed:
        _check_token()
        asked = _checked(person) if given else _question(ConfirmForm(formdata=None, prefix=PREFIX))
        if asked is not None:
            return asked
    if not given:
        return None
    _remove_question_fields()
    if rule.answers_file:
        flash(_("Your password is confirmed. Nothing is downloaded yet: press the button again."), "warning")
        return make_response(redirect(page, 303))
    return None


def check(form: ConfirmForm, person: SignedIn, again: Callable[[ConfirmForm, int], Response]) -> Response | None:
    """Record that the right password was given (None), or answer the question again."""
    if not form.validate():
        return again(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        sessions.confirm(person, form.password.data)
    except PasswordWrong as error:
        form.password.errors = [error_sentence(error)]
        return again(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    except TryLater as error:
        form.password.errors = [error_sentence(error)]
        return with_retry_after(again(form, HTTPStatus.UNPROCESSABLE_ENTITY), error)
    return None


def _check_token() -> None:
    """Check the CSRF token now: Flask-WTF does it only after the guard."""
    if current_app.config["WTF_CSRF_ENABLED"]:
        csrf.protect()


def _checked(person: SignedIn) -> Response | None:
    return check(ConfirmForm(prefix=PREFIX), person, _question)


def _question(form: ConfirmForm, status: int = HTTPStatus.FORBIDDEN) -> Response:
    """Ask, with the form carried in the page; a form with a password is shown again later, as no page may hold one."""
    rule, typed = permissions.rule(), resubmission.typed_in_request()
    if typed and typed.has_secret:
        return password_prompt.confirm_page(ConfirmForm(formdata=None), typed, status, _page())
    action = url_for(str(request.endpoint), **(request.view_args or {}))
    carried = {"action": action, "pairs": resubmission.typed_fields(), "at_once": not (rule and rule.answers_file)}
    return password_prompt.confirm_page(form, None, status, _page(), **carried)


def _page() -> str:
    """Return the page that the form came from, also when the question is asked again."""
    known = request.form.get(PAGE)
    return urls.own_path(known) if known else urls.page_before()


def _remove_question_fields() -> None:
    """Remove the fields of the question from the form, so that the view sees its own fields alone."""
    left = [pair for pair in request.form.items(multi=True) if pair[0] not in {FIELD, PAGE}]
    request.form = ImmutableMultiDict(left)
