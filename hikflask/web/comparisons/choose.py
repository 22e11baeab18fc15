"""What is done about differences: chosen for the plan, left as it is with a reason, or neither any more."""

from http import HTTPStatus

from flask import Response, abort, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from hikflask.forms.comparisons import ChoiceForm, LeaveForm, TakeBackForm
from hikflask.http.permissions import OPERATOR, allow
from hikflask.labels.comparisons import person_count
from hikflask.messages import error_sentence
from hikflask.models import Terminal
from hikflask.models.comparison import KINDS, Comparison
from hikflask.services.comparisons import ignored, plan_choices, queries
from hikflask.services.core.errors import PlanChanged
from hikflask.web.comparisons.comparisons import LEFT, bp, chosen_page, finished_or_404
from hikflask.web.security import resubmission
from hikflask.web.support.urls import next_or
from hikflask.web.terminals.terminals import terminal_or_404


@bp.post("/choose")
@allow(OPERATOR)
def choose(terminal_id: int) -> ResponseReturnValue:
    """Choose what is done about the differences that are ticked, or about all of a kind; nothing is done yet."""
    _terminal, comparison = finished_or_404(terminal_id)
    form = ChoiceForm()
    kind = _kind_or_422(form)
    rows = url_for(".show", terminal_id=terminal_id, kind=kind)
    if not _means_somebody(form):
        return redirect(rows, 303)
    if not plan_choices.choose(comparison, kind, form.action.data or "", form.meant):
        abort(HTTPStatus.UNPROCESSABLE_ENTITY)
    return redirect(next_or(rows), 303)


@resubmission.restores("comparisons.choose")
def chosen_again(fields: MultiDict[str, str], terminal_id: int) -> ResponseReturnValue:
    """Show what was chosen, to be sent once more."""
    terminal, comparison = finished_or_404(terminal_id)
    return chosen_page(terminal, "comparisons.choose", fields, _count(comparison, ChoiceForm(formdata=fields)))


@bp.post("/leave")
@allow(OPERATOR)
def leave(terminal_id: int) -> ResponseReturnValue:
    """Leave what is ticked, or all of a kind, as it is: first the form that asks why, then it is kept."""
    terminal, comparison = finished_or_404(terminal_id)
    form = LeaveForm()
    kind = _kind_or_422(form)
    rows = url_for(".show", terminal_id=terminal_id, kind=kind)
    if form.comparison.data != comparison.id:
        flash(error_sentence(PlanChanged()), "warning")
        return redirect(rows, 303)
    if not _means_somebody(form):
        return redirect(rows, 303)
    if not form.reason.raw_data:
        return _leave_page(terminal, comparison, form)
    if not form.validate():
        return _leave_page(terminal, comparison, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    count = ignored.ignore(comparison, kind, form.meant, form.reason.data or "")
    # What is left as it is is in no plan.
    plan_choices.choose(comparison, kind, plan_choices.NOTHING, form.meant)
    flash(_("Left as they are: %(people)s.", people=person_count(count)))
    return redirect(rows, 303)


@resubmission.restores("comparisons.leave")
def typed_again(fields: MultiDict[str, str], terminal_id: int) -> ResponseReturnValue:
    """Show the form again as it was typed."""
    terminal, comparison = finished_or_404(terminal_id)
    form = LeaveForm(formdata=fields)
    _kind_or_422(form)
    return _leave_page(terminal, comparison, form)


@bp.post("/take-back")
@allow(OPERATOR)
def take_back(terminal_id: int) -> ResponseReturnValue:
    """Show an ignored difference again."""
    terminal, form = terminal_or_404(terminal_id), TakeBackForm()
    ignored.stop_ignoring(terminal.id, form.kind.data or "", form.number.data or "")
    return redirect(url_for(".show", terminal_id=terminal_id, kind=LEFT), 303)


def _leave_page(terminal: Terminal, comparison: Comparison, form: LeaveForm, status: int = HTTPStatus.OK) -> Response:
    count = _count(comparison, form)
    return make_response(render_template("comparisons/leave.html", terminal=terminal, form=form, count=count), status)


def _count(comparison: Comparison, form: ChoiceForm) -> int:
    return queries.counts(comparison).get(form.kind.data, 0) if form.meant is None else len(form.meant)


def _kind_or_422(form: ChoiceForm) -> str:
    kind = form.kind.data or ""
    return kind if kind in KINDS else abort(HTTPStatus.UNPROCESSABLE_ENTITY)


def _means_somebody(form: ChoiceForm) -> bool:
    if form.meant is None or form.meant:
        return True
    flash(_("Nobody is selected. Tick the rows first."), "warning")
    return False
