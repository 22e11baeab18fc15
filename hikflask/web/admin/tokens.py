"""API tokens: add, show once, revoke; for administrators."""

from datetime import timedelta
from http import HTTPStatus

from flask import Blueprint, Response, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from hikflask.forms.admin import TokenForm
from hikflask.http.permissions import ADMIN, confirmed
from hikflask.messages import error_sentence
from hikflask.services.accounts import api_tokens
from hikflask.services.core.dates import end_of, today
from hikflask.services.core.errors import NotFound, ServiceError
from hikflask.text_rules import isolated
from hikflask.web.security import resubmission
from hikflask.web.support.responses import refuse, shown_once

bp = Blueprint("tokens", __name__, url_prefix="/tokens")


@bp.get("/")
@confirmed(ADMIN)
def index() -> ResponseReturnValue:
    """All tokens, and the form for one more."""
    return _page(TokenForm(formdata=None, expires_on=today() + timedelta(days=api_tokens.DEFAULT_DAYS)))


@bp.post("/")
@confirmed(ADMIN)
def create() -> ResponseReturnValue:
    """Add a token and show it, this once only."""
    form = TokenForm()
    if not form.validate():
        return _page(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        token, secret = api_tokens.create(form.name.data, form.role.data, end_of(form.expires_on.data))
    except ServiceError as error:
        return _page(form, refuse(form[error.fields[0]], error))
    return shown_once("admin/token_shown_once.html", token=token, secret=secret)


@resubmission.restores("tokens.create")
def typed_again(fields: MultiDict[str, str]) -> ResponseReturnValue:
    """Show the form again as it was typed."""
    return _page(TokenForm(formdata=fields))


@bp.post("/<int:token_id>/revoke")
@confirmed(ADMIN)
def revoke(token_id: int) -> ResponseReturnValue:
    """Revoke a token; it is invalid at once."""
    try:
        flash(_("%(name)s is revoked.", name=isolated(api_tokens.revoke(token_id).name)))
    except NotFound as error:
        flash(error_sentence(error), "danger")
    return redirect(url_for(".index"), 303)


def _page(form: TokenForm, status: int = 200) -> Response:
    return make_response(render_template("admin/tokens.html", form=form, tokens=api_tokens.list_all()), status)
