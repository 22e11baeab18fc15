"""Asks for the operator's own password before a dangerous view runs, unless it was asked for a moment ago.

The page with the question carries the form and sends it to the form's own address together with the password. When that
is right, the view runs as if there had been no question.
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
from hikflask.services.accounts import sessions
from hikflask.services.accounts.errors import PasswordWrong, TryLater
from hikflask.services.accounts.sessions import SignedIn
from hikflask.web.security import password_prompt, resubmission
from hikflask.web.support import urls
from hikflask.web.support.responses import refuse

# The fields of the question travel among those of the form, which may have a password field of its own.
PREFIX = "own_"
FIELD, PAGE = f"{PREFIX}password", f"{PREFIX}page"


def admit(person: SignedIn, rule: Rule) -> Response | None:
    """Return the question for the password, or None when it was confirmed a moment ago or comes along and is right.

    :raises flask_wtf.csrf.CSRFError: a form without its token is refused before the question, so that no operator
        confirms what another site sent.
    """
    if request.method != "POST":
        return None if person.confirmed else password_prompt.redirect_to_confirmation()
    is_answered, page = FIELD in request.form, _page()
    if not person.confirmed:
        if current_app.config["WTF_CSRF_ENABLED"]:
            csrf.protect()  # Flask-WTF would do it only after the guard.
        if not is_answered:
            return _question(ConfirmForm(formdata=None, prefix=PREFIX))
        refusal = check(ConfirmForm(prefix=PREFIX), person, _question)
        if refusal is not None:
            return refusal
    if not is_answered:
        return None
    # The view sees its own fields alone.
    pairs = request.form.items(multi=True)
    request.form = ImmutableMultiDict([pair for pair in pairs if pair[0] not in {FIELD, PAGE}])
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
    except (PasswordWrong, TryLater) as error:
        return again(form, refuse(form.password, error))
    return None


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
    page = request.form.get(PAGE)
    return urls.own_path(page) if page else urls.page_before()
