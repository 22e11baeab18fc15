"""The page that adds the first administrator, with a code from the server's log; it exists until there is one."""

from http import HTTPStatus

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hikflask.forms.account import FirstRunForm
from hikflask.http.permissions import public
from hikflask.services.accounts import operators
from hikflask.services.accounts.errors import OperatorsExist, TryLater
from hikflask.services.core.errors import ServiceError
from hikflask.web.support.locale import remember_language
from hikflask.web.support.responses import refuse

bp = Blueprint("first_run", __name__)


@bp.before_request
def refuse_when_set_up() -> None:
    """Answer that there is no such page, once there is an operator."""
    if operators.exist():
        abort(404)


@bp.get("/first-run")
@public
def ask() -> ResponseReturnValue:
    """Show the form for the first administrator, in the language of `lang`."""
    response = _form(FirstRunForm(formdata=None))
    remember_language(response, request.args.get("lang"))
    return response


@bp.post("/first-run")
@public
def create() -> ResponseReturnValue:
    """Add the first administrator, who then signs in like everybody."""
    form = FirstRunForm()
    if not form.validate():
        return _form(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    values = (form.code.data, form.name.data, form.new_password.data)
    try:
        operators.create_administrator(*values, request.remote_addr or "")
    except OperatorsExist:
        abort(404)
    except ServiceError as error:
        fields = {"code": form.code, "password": form.new_password}
        field = form.code if isinstance(error, TryLater) else fields.get(error.fields[0], form.name)
        return _form(form, refuse(field, error))
    flash(_("Administrator created. Sign in."))
    return redirect(url_for("sign_in.ask"), 303)


def _form(form: FirstRunForm, status: int = 200) -> Response:
    return make_response(render_template("account/setup.html", form=form), status)
