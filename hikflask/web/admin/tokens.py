"""API tokens: made, shown once, revoked; for administrators."""

from flask import Blueprint, Response, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from hikflask.forms.operators import TokenForm
from hikflask.http.permissions import ADMIN, confirmed
from hikflask.invisible_characters import isolated
from hikflask.services.accounts import api_tokens
from hikflask.services.accounts.errors import TokenUnknown
from hikflask.services.core.errors import ServiceError
from hikflask.web.error_pages import said
from hikflask.web.security import resubmission
from hikflask.web.support.dates import end_of, today

bp = Blueprint("tokens", __name__, url_prefix="/tokens")

UNPROCESSABLE = 422


@bp.get("/")
@confirmed(ADMIN)
def index() -> ResponseReturnValue:
    """All tokens, and the form for one more."""
    return _page(TokenForm(formdata=None, today=today()))


@bp.post("/")
@confirmed(ADMIN)
def create() -> ResponseReturnValue:
    """Make a token and show it, this once."""
    form = TokenForm(today=today())
    if not form.validate():
        return _page(form, UNPROCESSABLE)
    try:
        token, secret = api_tokens.create(form.name.data, form.role.data, end_of(form.expires_on.data))
    except ServiceError as error:
        form.name.errors = [said(error)]
        return _page(form, UNPROCESSABLE)
    response = make_response(render_template("admin/token_shown_once.html", token=token, secret=secret))
    response.headers["Cache-Control"] = "no-store"
    return response


@resubmission.restores("tokens.create")
def typed_again(fields: MultiDict[str, str]) -> ResponseReturnValue:
    """Answer the form as it was typed."""
    return _page(TokenForm(formdata=fields, today=today()))


@bp.post("/<int:token_id>/revoke")
@confirmed(ADMIN)
def revoke(token_id: int) -> ResponseReturnValue:
    """Make a token worthless at once."""
    try:
        flash(_("%(name)s is revoked.", name=isolated(api_tokens.revoke(token_id).name)))
    except TokenUnknown as error:
        flash(said(error), "danger")
    return redirect(url_for(".index"), 303)


def _page(form: TokenForm, status: int = 200) -> Response:
    return make_response(render_template("admin/tokens.html", form=form, tokens=api_tokens.everyone()), status)
