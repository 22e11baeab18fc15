"""The operator's own password before what can hurt. The page that asks carries the form and sends it to where it went:
once the password is right, the view does what it was asked for.
"""

from collections.abc import Callable
from http import HTTPStatus

from flask import Response, current_app, flash, make_response, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import ImmutableMultiDict

from hikflask.extensions import csrf
from hikflask.forms.sign_in import ConfirmForm
from hikflask.http import permissions
from hikflask.http.permissions import Rule
from hikflask.services.accounts import sessions
from hikflask.services.accounts.errors import PasswordWrong, TryLater
from hikflask.services.accounts.sessions import SignedIn
from hikflask.web.security import password_prompt, resubmission
from hikflask.web.support import urls
from hikflask.web.support.messages import error_sentence, with_retry_after

# The fields of the question stand among those of a form that may have a password of its own.
PREFIX = "own_"
FIELD, PAGE = f"{PREFIX}password", f"{PREFIX}page"


def admit(person: SignedIn, rule: Rule) -> Response | None:
    """Let a request through (None) when the password was asked for a moment ago or comes along; else ask.

    :raises flask_wtf.csrf.CSRFError: before a form is carried: the password makes good no form of another site.
    """
    if request.method != "POST":
        return None if person.confirmed else password_prompt.to_confirm()
    given, page = FIELD in request.form, _page()
    if not person.confirmed:
        _check_token()
        asked = (
            _refused(person) if given else _question(ConfirmForm(formdata=None, prefix=PREFIX), HTTPStatus.FORBIDDEN)
        )
        if asked is not None:
            return asked
    if not given:
        return None
    _take_out()
    if rule.answers_file:
        flash(_("Your password is confirmed. Nothing is downloaded yet: press the button again."), "warning")
        return make_response(redirect(page, 303))
    return None


def check(form: ConfirmForm, person: SignedIn, again: Callable[[ConfirmForm, int], Response]) -> Response | None:
    """Note that the right password was given (None), or answer what asks again."""
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
    """The guard comes before the extension does this."""
    if current_app.config["WTF_CSRF_ENABLED"]:
        csrf.protect()


def _refused(person: SignedIn) -> Response | None:
    return check(ConfirmForm(prefix=PREFIX), person, _question)


def _question(form: ConfirmForm, status: int) -> Response:
    """Ask, with the form in the page; one with a secret is shown again instead, since no page may hold that."""
    rule, typed = permissions.rule(), resubmission.of_request()
    if typed and typed.has_secret:
        return password_prompt.confirm_page(ConfirmForm(formdata=None), typed, status, _page())
    action = url_for(str(request.endpoint), **(request.view_args or {}))
    known = {"action": action, "pairs": resubmission.pairs(), "at_once": not (rule and rule.answers_file)}
    return password_prompt.confirmation(status, form=form, next=_page(), **known)


def _page() -> str:
    """Return the page that the form came from, also while the question is asked again."""
    known = request.form.get(PAGE)
    return urls.own_path(known) if known else urls.page_before()


def _take_out() -> None:
    """Leave nothing of the question to whoever reads the form next."""
    left = [pair for pair in request.form.items(multi=True) if pair[0] not in {FIELD, PAGE}]
    request.form = ImmutableMultiDict(left)
