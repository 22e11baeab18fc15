"""Departments: the list with how many are in each; one added, renamed or deleted, or several merged into one."""

from http import HTTPStatus

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict

from hikflask.background import tasks
from hikflask.forms.fields import row_id
from hikflask.forms.groups import DepartmentForm, MergeForm
from hikflask.http.permissions import ADMIN, OPERATOR, VIEWER, allow, confirmed
from hikflask.messages import error_sentence
from hikflask.services.core.errors import (
    AdministratorNeeded,
    DepartmentKnown,
    NotFound,
    PlanChanged,
    ServiceError,
    UnsafePlan,
)
from hikflask.services.departments import merging, queries, registry
from hikflask.services.departments.queries import Counted
from hikflask.services.enrolments.mass_removals import Confirmation
from hikflask.services.groups import changing
from hikflask.text_rules import isolated
from hikflask.web.security import resubmission
from hikflask.web.support.pagination import listed
from hikflask.web.support.responses import refuse

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
        return _list(form, refuse(form.name, error))
    flash(_("%(name)s is added.", name=isolated(added.name)))
    return redirect(url_for(".index"), 303)


@resubmission.restores("departments.create")
def new_again(fields: MultiDict[str, str]) -> ResponseReturnValue:
    """Show the list with the form as it was typed."""
    return _list(DepartmentForm(formdata=fields))


@bp.get("/<int:department_id>/edit")
@allow(OPERATOR)
def edit(department_id: int) -> ResponseReturnValue:
    """The page on which a department is renamed, merged into another, or deleted."""
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
        return _edited(department, form, refuse(form.name, error))
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


@bp.get("/merge")
@allow(OPERATOR)
def ask_merge() -> ResponseReturnValue:
    """Ask before departments are merged; ask which ones first, where the address does not name them."""
    return _merge_question(MergeForm(request.args))


@bp.post("/merge")
@allow(OPERATOR)
def merge() -> ResponseReturnValue:
    """Merge departments, with everybody who is in them."""
    return _merge(by_admin=False)


@bp.post("/merge/remove")
@confirmed(ADMIN)
def merge_and_remove() -> ResponseReturnValue:
    """Merge departments so that many of their people lose access."""
    return _merge(by_admin=True)


@resubmission.restores("departments.merge_and_remove")
def merge_again(fields: MultiDict[str, str]) -> ResponseReturnValue:
    """Show the question again with the number as it was typed."""
    return _merge_question(MergeForm(fields))


def _merge_question(form: MergeForm, status: int = HTTPStatus.OK) -> ResponseReturnValue:
    if form.into.data is None:
        return _choose(form)
    try:
        merge = changing.preview_of_merge(form.department_ids, form.into.data)
    except NotFound:
        return _choose(form, _("Choose two different departments.")), HTTPStatus.UNPROCESSABLE_ENTITY
    return render_template("departments/merge.html", merge=merge, found=merge.differences, form=form), status


def _merge(*, by_admin: bool) -> ResponseReturnValue:
    form = MergeForm()
    ids, into, agreed = form.department_ids, form.into.data or 0, Confirmation(row_id(form.confirm.data), by_admin)
    try:
        people = changing.merge_departments(ids, into, tasks.enqueue_job, agreed, form.shown.data)
    except PlanChanged as error:
        flash(error_sentence(error), "danger")
        return redirect(url_for(".ask_merge", department=ids, into=into), 303)
    except (AdministratorNeeded, UnsafePlan) as error:
        return _merge_question(form, refuse(form.confirm, error))
    except ServiceError as error:
        flash(error_sentence(error), "danger")
    else:
        kept = registry.get(into)
        name = isolated(kept.name if kept else "")
        flash(
            ngettext(
                "%(num)s employee was moved to “%(name)s”.",
                "%(num)s employees were moved to “%(name)s”.",
                people,
                name=name,
            )
        )
    return redirect(url_for(".index"), 303)


def _choose(form: MergeForm, problem: str = "") -> str:
    chosen, into = next(iter(form.department_ids), None), form.into.data
    departments = queries.list_all()
    return render_template(
        "departments/choose.html", problem=problem, into=into, departments=departments, chosen=chosen
    )


def _list(form: DepartmentForm, status: int = 200) -> ResponseReturnValue:
    page, alike = listed(queries.page), queries.lookalikes()
    return render_template("departments/list.html", form=form, found=page, alike=alike), status


def _edited(department: Counted, form: DepartmentForm, status: int = 200) -> ResponseReturnValue:
    others = [other for other in queries.list_all() if other.id != department.id]
    return render_template("departments/edit.html", department=department, form=form, others=others), status


def _department_or_404(department_id: int) -> Counted:
    return next(iter(queries.of_ids([department_id])), None) or abort(404)
