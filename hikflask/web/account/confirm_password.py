"""The page that asks for the operator's own password before a dangerous page is opened or a form shown again."""

from http import HTTPStatus

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError

from hikflask.forms.account import ConfirmForm
from hikflask.http.permissions import VIEWER, allow
from hikflask.web.security import current_operator, password_prompt, reauthentication, resubmission
from hikflask.web.support.urls import next_or

bp = Blueprint("confirmation", __name__)


@bp.get("/confirm")
@allow(VIEWER)
def ask() -> ResponseReturnValue:
    """The question."""
    return password_prompt.confirm_page(ConfirmForm(formdata=None), None, next_path=next_or())


@bp.post("/confirm")
@allow(VIEWER)
def confirm() -> ResponseReturnValue:
    """Record that the right password was given, and go on where the question was asked."""
    question = reauthentication.check(ConfirmForm(), current_operator.required(), _again)
    return question or password_prompt.go_on(resubmission.carried_form(), next_or(), _("Your password is confirmed."))


@bp.errorhandler(CSRFError)
def token_lost(error: CSRFError) -> ResponseReturnValue:  # noqa: ARG001 - the page says it by itself
    """Ask again with a fresh token; a typed form is still carried along."""
    return _again(ConfirmForm(), HTTPStatus.BAD_REQUEST)


def _again(form: ConfirmForm, status: int) -> Response:
    return password_prompt.confirm_page(form, resubmission.carried_form(), status, next_or())
