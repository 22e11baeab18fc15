"""Asks for the operator's own password before a page that can hurt is opened, or a form is shown again."""

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError

from hikflask.access import VIEWER, allow
from hikflask.forms.sign_in import ConfirmForm
from hikflask.web import ask_again, kept, operator, own_password
from hikflask.web.paths import next_or

bp = Blueprint("confirmation", __name__)

BAD_REQUEST = 400


@bp.get("/confirm")
@allow(VIEWER)
def ask() -> ResponseReturnValue:
    """The page that asks."""
    return ask_again.confirm_page(ConfirmForm(formdata=None), None, next_path=next_or())


@bp.post("/confirm")
@allow(VIEWER)
def confirm() -> ResponseReturnValue:
    """Note that the right password was given, and go on where the question came up."""
    asked = own_password.check(ConfirmForm(), operator.signed_in(), _again)
    return asked or ask_again.go_on(kept.carried(), next_or(), _("Your password is confirmed."))


@bp.errorhandler(CSRFError)
def token_lost(error: CSRFError) -> ResponseReturnValue:  # noqa: ARG001 - the page says it by itself
    """Ask again with a fresh token; what was typed elsewhere still goes along."""
    return _again(ConfirmForm(), BAD_REQUEST)


def _again(form: ConfirmForm, status: int) -> Response:
    return ask_again.confirm_page(form, kept.carried(), status, next_or())
