"""Departments merged into one: which, then a question that says how many people move."""

from http import HTTPStatus

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict

from hikflask.background import tasks
from hikflask.forms.departments import MergeForm
from hikflask.forms.fields import row_id
from hikflask.http import error_status
from hikflask.http.permissions import ADMIN, OPERATOR, allow, confirmed
from hikflask.invisible_characters import isolated
from hikflask.labels.refusals import error_sentence
from hikflask.services.core.errors import AdministratorNeeded, NotFound, PlanChanged, ServiceError, UnsafePlan
from hikflask.services.departments import queries, registry
from hikflask.services.enrolments.mass_removals import Agreed
from hikflask.services.groups import changing
from hikflask.web.departments.departments import bp
from hikflask.web.security import resubmission


@bp.get("/merge")
@allow(OPERATOR)
def ask_merge() -> ResponseReturnValue:
    """Ask before departments are merged; where it is not said which, ask for that first."""
    return _question(MergeForm(request.args))


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
def asked_again(fields: MultiDict[str, str]) -> ResponseReturnValue:
    """Show the question again with the number as it was typed."""
    return _question(MergeForm(fields))


def _question(form: MergeForm, status: int = HTTPStatus.OK) -> ResponseReturnValue:
    if form.into.data is None:
        return _choose(form)
    try:
        merge = changing.preview_of_merge(form.department_ids, form.into.data)
    except NotFound:
        return _choose(form, _("Choose two different departments.")), HTTPStatus.UNPROCESSABLE_ENTITY
    known = {"merge": merge, "found": merge.differences, "form": form}
    return make_response(render_template("departments/merge.html", **known), status)


def _merge(*, by_admin: bool) -> ResponseReturnValue:
    form = MergeForm()
    ids, into, agreed = form.department_ids, form.into.data or 0, Agreed(row_id(form.confirm.data), by_admin)
    try:
        people = changing.merge_departments(ids, into, tasks.apply_groups, agreed, form.shown.data)
    except PlanChanged as error:
        flash(error_sentence(error), "danger")
        return redirect(url_for(".ask_merge", department=ids, into=into), 303)
    except (AdministratorNeeded, UnsafePlan) as error:
        form.confirm.errors = [error_sentence(error)]
        return _question(form, error_status.for_page(error.code))
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
