"""Departments: the list with how many are in each, one added, renamed or deleted."""

from http import HTTPStatus

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from hikflask.forms.departments import DepartmentForm
from hikflask.http import error_status
from hikflask.http.permissions import OPERATOR, VIEWER, allow
from hikflask.invisible_characters import isolated
from hikflask.labels.refusals import error_sentence
from hikflask.services.core.errors import DepartmentKnown, ServiceError
from hikflask.services.departments import merging, queries, registry
from hikflask.services.departments.queries import Counted
from hikflask.web.security import resubmission
from hikflask.web.support.pagination import listed

bp = Blueprint("departments", __name__, url_prefix="/departments")


@bp.get("/")
@allow(VIEWER)
def index() -> ResponseReturnValue:
    """All departments, those that look alike, and the form for one more."""
    return _list(DepartmentForm(formdata=None))


@bp.post("/")
@allow(OPERATOR)
def create() -> ResponseReturnValue:
    """Add a department."""
    form = DepartmentForm()
    if not form.validate():
        return _list(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        added = registry.add(form.name.data)
    except ServiceError as error:
        form.name.errors = [error_sentence(error)]
        return _list(form, error_status.for_page(error.code))
    flash(_("%(name)s is added.", name=isolated(added.name)))
    return redirect(url_for(".index"), 303)


@resubmission.restores("departments.create")
def new_again(fields: MultiDict[str, str]) -> ResponseReturnValue:
    """Show the list with the form as it was typed."""
    return _list(DepartmentForm(formdata=fields))


@bp.get("/<int:department_id>/edit")
@allow(OPERATOR)
def edit(department_id: int) -> ResponseReturnValue:
    """The page on which a department is renamed, merged into another one, or deleted."""
    department = _department_or_404(department_id)
    return _edited(department, DepartmentForm(formdata=None, name=department.name))


@bp.post("/<int:department_id>")
@allow(OPERATOR)
def rename(department_id: int) -> ResponseReturnValue:
    """Give a department another name; where another one has that name, ask whether to merge them."""
    department, form = _department_or_404(department_id), DepartmentForm()
    if not form.validate():
        return _edited(department, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        merging.rename(department_id, form.name.data)
    except DepartmentKnown as error:
        flash(error_sentence(error), "warning")
        into = error.params["department_id"]
        return redirect(url_for(".ask_merge", department=department_id, into=into), 303)
    except ServiceError as error:
        form.name.errors = [error_sentence(error)]
        return _edited(department, form, error_status.for_page(error.code))
    flash(_("The department is renamed, also at its employees."))
    return redirect(url_for(".index"), 303)


@resubmission.restores("departments.rename")
def name_again(fields: MultiDict[str, str], department_id: int) -> ResponseReturnValue:
    """Show the page with the name as it was typed."""
    return _edited(_department_or_404(department_id), DepartmentForm(formdata=fields))


@bp.post("/<int:department_id>/delete")
@allow(OPERATOR)
def delete(department_id: int) -> ResponseReturnValue:
    """Delete a department that nobody is in."""
    try:
        flash(_("%(name)s is deleted.", name=isolated(registry.delete(department_id))))
    except ServiceError as error:
        flash(error_sentence(error), "danger")
    return redirect(url_for(".index"), 303)


def _list(form: DepartmentForm, status: int = 200) -> Response:
    known = {"found": listed(queries.page), "alike": queries.lookalikes()}
    return make_response(render_template("departments/list.html", form=form, **known), status)


def _edited(department: Counted, form: DepartmentForm, status: int = 200) -> Response:
    others = [one for one in queries.list_all() if one.id != department.id]
    body = render_template("departments/edit.html", department=department, form=form, others=others)
    return make_response(body, status)


def _department_or_404(department_id: int) -> Counted:
    return next(iter(queries.of_ids([department_id])), None) or abort(404)
