"""Departments merged into one: which, then a question that says how many people move."""

from http import HTTPStatus

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from hikflask.background import tasks
from hikflask.forms.departments import MergeForm
from hikflask.http.permissions import OPERATOR, allow
from hikflask.invisible_characters import isolated
from hikflask.services.core.errors import DepartmentUnknown, PlanChanged, ServiceError
from hikflask.services.departments import queries, registry
from hikflask.services.groups import changing
from hikflask.web.departments.departments import bp
from hikflask.web.support.messages import error_sentence


@bp.get("/merge")
@allow(OPERATOR)
def ask_merge() -> ResponseReturnValue:
    """Ask before departments are merged; where it is not said which, ask for that first."""
    form = MergeForm(request.args)
    if form.into.data is None:
        return _choose(form)
    try:
        merge = changing.preview_of_merge(form.department_ids, form.into.data)
    except DepartmentUnknown:
        return _choose(form, _("Choose two different departments.")), HTTPStatus.UNPROCESSABLE_ENTITY
    return render_template("departments/merge.html", merge=merge, found=merge.differences)


@bp.post("/merge")
@allow(OPERATOR)
def merge() -> ResponseReturnValue:
    """Merge departments, with everybody who is in them."""
    form = MergeForm()
    ids, into = form.department_ids, form.into.data or 0
    try:
        people = changing.merge_departments(ids, into, tasks.apply_groups, form.shown.data)
    except PlanChanged as error:
        flash(error_sentence(error), "danger")
        return redirect(url_for(".ask_merge", department=ids, into=into), 303)
    except ServiceError as error:
        flash(error_sentence(error), "danger")
    else:
        flash(_moved(people, into))
    return redirect(url_for(".index"), 303)


def _moved(people: int, into_id: int) -> str:
    kept = registry.get(into_id)
    name = isolated(kept.name if kept else "")
    return str(
        ngettext(
            "%(num)s employee was moved to “%(name)s”.",
            "%(num)s employees were moved to “%(name)s”.",
            people,
            name=name,
        )
    )


def _choose(form: MergeForm, problem: str = "") -> str:
    known = {"departments": queries.list_all(), "chosen": next(iter(form.department_ids), None)}
    return render_template("departments/choose.html", problem=problem, into=form.into.data, **known)
