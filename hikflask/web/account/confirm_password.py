"""Asks for the operator's own password before a page that can hurt is opened, or a form is shown again."""

from http import HTTPStatus

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError

from hikflask.forms.sign_in import ConfirmForm
from hikflask.http.permissions import VIEWER, allow
from hikflask.web.security import current_operator, password_prompt, reauthentication, resubmission
from hikflask.web.support.urls import next_or

bp = Blueprint("confirmation", __name__)


@bp.get("/confirm")
@allow(VIEWER)
def ask() -> ResponseReturnValue:
    """The page that asks."""
    return password_prompt.confirm_page(ConfirmForm(formdata=None), None, next_path=next_or())


@bp.post("/confirm")
@allow(VIEWER)
def confirm() -> ResponseReturnValue:
    """Note that the right password was given, and go on where the question came up."""
    asked = reauthentication.check(ConfirmForm(), current_operator.signed_in(), _again)
    return asked or password_prompt.go_on(resubmission.carried(), next_or(), _("Your password is confirmed."))


@bp.errorhandler(CSRFError)
def token_lost(error: CSRFError) -> ResponseReturnValue:  # noqa: ARG001 - the page says it by itself
    """Ask again with a fresh token; what was typed elsewhere still goes along."""
    return _again(ConfirmForm(), HTTPStatus.BAD_REQUEST)


def _again(form: ConfirmForm, status: int) -> Response:
    return password_prompt.confirm_page(form, resubmission.carried(), status, next_or())
