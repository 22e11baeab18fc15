"""Operators: add, change the role, deactivate, reset the password; for administrators."""

from http import HTTPStatus

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from hikflask.forms.admin import OperatorChangeForm, OperatorForm
from hikflask.forms.versions import ChangedMeanwhile
from hikflask.http.permissions import ADMIN, confirmed
from hikflask.messages import error_sentence
from hikflask.models import Operator
from hikflask.services.accounts import api_tokens, operators, second_factor
from hikflask.services.accounts.errors import LdapDecides
from hikflask.services.core.errors import ServiceError
from hikflask.text_rules import isolated
from hikflask.web.security import current_operator, resubmission
from hikflask.web.support.notices import conflict, flash_kept_fields
from hikflask.web.support.responses import refuse, shown_once

bp = Blueprint("operators", __name__, url_prefix="/operators")


@bp.get("/")
@confirmed(ADMIN)
def index() -> ResponseReturnValue:
    """All operators, and the form for one more."""
    return _page(OperatorForm(formdata=None))


@bp.post("/")
@confirmed(ADMIN)
def create() -> ResponseReturnValue:
    """Add an operator with a temporary password, which is shown once and must be changed at the first sign-in."""
    form = OperatorForm()
    if not form.validate():
        return _page(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    password = operators.temporary_password()
    try:
        added = operators.create(form.name.data, password, form.role.data, temporary=True)
    except ServiceError as error:
        return _page(form, refuse(form.name, error))
    return shown_once("admin/operator_password.html", operator=added, password=password)


@bp.get("/<int:operator_id>")
@confirmed(ADMIN)
def edit(operator_id: int) -> ResponseReturnValue:
    """The form of one operator."""
    operator = _operator(operator_id)
    return _form(_as_saved(operator), operator)


@bp.post("/<int:operator_id>")
@confirmed(ADMIN)
def update(operator_id: int) -> ResponseReturnValue:
    """Change what was changed in the form: the role, and whether the operator may sign in."""
    operator, form = _operator(operator_id), OperatorChangeForm()
    if not form.validate():
        return _form(form, operator, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        flash_kept_fields(form, form.merge_saved(_as_saved(operator)))
        role, is_active = (form.value(name) if name in form.changed() else None for name in form.stored)
        operators.change(operator_id, role, is_active, require=lambda locked: form.merge_saved(_as_saved(locked)))
    except ChangedMeanwhile as error:
        return _form(form, operator, HTTPStatus.CONFLICT, **conflict(form, error.differences))
    except ServiceError as error:
        return _form(form, operator, refuse(form.role, error))
    flash(_("Saved."))
    _warn_of_tokens(operators.get(operator_id) or operator)
    return redirect(url_for(".index"), 303)


def _warn_of_tokens(operator: Operator) -> None:
    """Warn that tokens stay valid although their creator is no administrator any more, and may still have them."""
    if operator.is_active and operator.role == ADMIN:
        return
    if tokens := ", ".join(isolated(token.name) for token in api_tokens.list_valid_of(operator.name)):
        warning = _(
            "API tokens that %(name)s made are still valid: %(tokens)s. "
            "Revoke those that this person should not have any more.",
            name=isolated(operator.name),
            tokens=tokens,
        )
        flash(warning, "warning")


@resubmission.restores("operators.create", "operators.update")
def typed_again(fields: MultiDict[str, str], operator_id: int | None = None) -> ResponseReturnValue:
    """Show the form again as it was typed."""
    if operator_id is None:
        return _page(OperatorForm(formdata=fields))
    return _form(OperatorChangeForm(formdata=fields), _operator(operator_id))


@bp.post("/<int:operator_id>/password")
@confirmed(ADMIN)
def reset_password(operator_id: int) -> ResponseReturnValue:
    """Set a temporary password, which is shown once and must be changed at the next sign-in; all sessions end."""
    operator, password = _operator(operator_id), operators.temporary_password()
    try:
        operators.set_password(operator_id, password, temporary=True)
    except LdapDecides as error:
        flash(error_sentence(error), "warning")
        return redirect(url_for(".index"), 303)
    return shown_once("admin/operator_password.html", operator=operator, password=password)


@bp.post("/<int:operator_id>/second-factor/remove")
@confirmed(ADMIN)
def remove_factor(operator_id: int) -> ResponseReturnValue:
    """Remove the second factor of an operator who lost it; all sessions of that operator end."""
    operator = _operator(operator_id)
    if operator_id == current_operator.required().operator_id:
        flash(_("Switch off your own second factor here, with a code of it."), "warning")
        return redirect(url_for("account.show"), 303)
    try:
        second_factor.remove(operator_id)
    except ServiceError as error:
        flash(error_sentence(error), "warning")
    else:
        flash(_("%(name)s signs in by the password alone now.", name=isolated(operator.name)))
    return redirect(url_for(".index"), 303)


def _as_saved(operator: Operator) -> OperatorChangeForm:
    """Return the form of an operator as it is saved now, with its version."""
    return OperatorChangeForm(formdata=None, obj=operator).as_saved()


def _operator(operator_id: int) -> Operator:
    return operators.get(operator_id) or abort(404)


def _page(form: OperatorForm, status: int = 200) -> Response:
    return make_response(render_template("admin/operators.html", form=form, operators=operators.list_all()), status)


def _form(form: OperatorChangeForm, operator: Operator, status: int = 200, **about: object) -> Response:
    return make_response(render_template("admin/operator_form.html", form=form, operator=operator, **about), status)
