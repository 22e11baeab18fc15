"""Asks for the operator's own password before what can hurt."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from hikflask.access import VIEWER, allow
from hikflask.forms.sign_in import ConfirmForm
from hikflask.services import sessions
from hikflask.services.errors import PasswordWrong, TooOften
from hikflask.web import ask_again, kept, operator
from hikflask.web.addresses import OWN_PATH
from hikflask.web.errors import said

bp = Blueprint("confirmation", __name__)

BAD_REQUEST, UNPROCESSABLE, TOO_MANY = 400, 422, 429


@bp.get("/confirm")
@allow(VIEWER)
def ask() -> ResponseReturnValue:
    """The page that asks."""
    return ask_again.confirm_page(ConfirmForm(formdata=None), None, next_path=_next())


@bp.post("/confirm")
@allow(VIEWER)
def confirm() -> ResponseReturnValue:
    """Note that the right password was given, and go on where the question came up."""
    form, typed = ConfirmForm(), kept.carried()
    if not form.validate():
        return ask_again.confirm_page(form, typed, UNPROCESSABLE, _next())
    try:
        sessions.confirm(operator.signed_in(), form.password.data)
    except PasswordWrong as error:
        form.password.errors = [said(error)]
        return ask_again.confirm_page(form, typed, UNPROCESSABLE, _next())
    except TooOften as error:
        form.password.errors = [said(error)]
        return ask_again.with_retry_after(ask_again.confirm_page(form, typed, TOO_MANY, _next()), error)
    return ask_again.go_on(typed, _next())


@bp.errorhandler(CSRFError)
def token_lost(error: CSRFError) -> ResponseReturnValue:  # noqa: ARG001 - the page says it by itself
    """Ask again with a fresh token; what was typed elsewhere still goes along."""
    return ask_again.confirm_page(ConfirmForm(), kept.carried(), BAD_REQUEST, _next())


def _next() -> str:
    wanted = request.values.get("next", "")
    return wanted if OWN_PATH.match(wanted) else "/"
