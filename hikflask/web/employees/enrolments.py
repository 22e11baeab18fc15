"""The enrolments of an employee: shown while they are reconciled, tried again, or decided by the operator."""

from collections.abc import Callable
from functools import partial

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hikflask.background import tasks
from hikflask.forms.fields import row_id
from hikflask.http.permissions import OPERATOR, VIEWER, allow
from hikflask.messages import error_sentence
from hikflask.models import Enrolment
from hikflask.services.core.errors import ServiceError
from hikflask.services.enrolments import desired, manual_removal, queries
from hikflask.web.employees import removals
from hikflask.web.employees.employees import employee_or_404, terminal_lines
from hikflask.web.security.current_operator import may
from hikflask.web.support import htmx
from hikflask.web.support.urls import next_or

bp = Blueprint("enrolments", __name__)


@bp.get("/employees/<int:employee_id>/enrolments")
@allow(VIEWER, is_activity=False)
def of_employee(employee_id: int) -> ResponseReturnValue:
    """The part of the employee's page that polls, with what is done next and the alarm of open removals."""
    employee = employee_or_404(employee_id)
    about = {"employee": employee, **terminal_lines(employee)}
    part = render_template("employees/_enrolments.html", **about, fragment=True)
    part += render_template("employees/_cards.html", elsewhere=True, **about)
    if may(OPERATOR):
        part += render_template("employees/_main_actions.html", elsewhere=True, **about)
    return htmx.with_bar(part)


@bp.post("/enrolments/<int:enrolment_id>/retry")
@allow(OPERATOR)
def retry(enrolment_id: int) -> ResponseReturnValue:
    """Try again now. The row says that it is tried, then what came of it."""
    enrolment = _enrolment(enrolment_id)
    desired.retry(enrolment.id)
    tasks.enqueue_due([enrolment.id], by_hand=True)
    if not htmx.wants_fragment():
        flash(_("It is tried again. The result appears below."))
        return _back(enrolment)
    if request.form.get("next") or enrolment.employee_id is None:
        return removals.state()
    return of_employee(enrolment.employee_id)


@bp.post("/enrolments/<int:enrolment_id>/replace")
@allow(OPERATOR)
def replace(enrolment_id: int) -> ResponseReturnValue:
    """Overwrite the person who has the number on the terminal, if the enrolment is still as the page showed it."""
    enrolment = _enrolment(enrolment_id)
    is_desired = desired.desire_overwrite(enrolment.id, _wish())
    if is_desired:
        tasks.enqueue_due([enrolment.id], by_hand=True)
    return _back(enrolment, is_done=is_desired)


@bp.post("/enrolments/<int:enrolment_id>/by-hand")
@allow(OPERATOR)
def by_hand(enrolment_id: int) -> ResponseReturnValue:
    """Record the operator's word that the number was removed by hand from a device that cannot confirm it."""
    enrolment = _enrolment(enrolment_id)
    return _recorded(enrolment, partial(manual_removal.confirm_by_hand, enrolment.id, _wish()))


@bp.post("/enrolments/<int:enrolment_id>/somebody-else")
@allow(OPERATOR)
def somebody_else(enrolment_id: int) -> ResponseReturnValue:
    """Record the operator's word that the record with this number and name belongs to somebody else."""
    enrolment = _enrolment(enrolment_id)
    name = request.form.get("name", "")
    return _recorded(enrolment, partial(manual_removal.confirm_as_somebody_elses, enrolment.id, _wish(), name))


def _recorded(enrolment: Enrolment, record: Callable[[], bool]) -> ResponseReturnValue:
    try:
        return _back(enrolment, is_done=record())
    except ServiceError as error:
        flash(error_sentence(error), "warning")
    return _back(enrolment)


def _wish() -> int:
    return row_id(request.form.get("wish")) or 0


def _enrolment(enrolment_id: int) -> Enrolment:
    return queries.get(enrolment_id) or abort(404)


def _back(enrolment: Enrolment, *, is_done: bool = True) -> ResponseReturnValue:
    if not is_done:
        flash(_("The employee's data changed meanwhile. Look again, please."), "warning")
    employee_id = enrolment.employee_id
    default = url_for("employees.show", employee_id=employee_id) if employee_id else url_for("removals.index")
    return redirect(next_or(default), 303)
