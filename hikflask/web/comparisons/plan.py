"""The plan that follows from what was chosen: looked at as a dry run by the code that carries it out, then started."""

from http import HTTPStatus

from flask import Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from hikflask.background import tasks
from hikflask.forms.comparisons import PlanForm, answers
from hikflask.forms.fields import row_id
from hikflask.http.permissions import ADMIN, OPERATOR, allow, confirmed
from hikflask.messages import error_sentence
from hikflask.models import Terminal
from hikflask.models.comparison import Comparison, PersonThere
from hikflask.services.comparisons import plan as plans
from hikflask.services.comparisons import preview, queries
from hikflask.services.comparisons.plan import LEAVE
from hikflask.services.core import shown
from hikflask.services.core.errors import AdministratorNeeded, PlanChanged, UnsafePlan
from hikflask.services.enrolments.mass_removals import Agreed
from hikflask.services.jobs import plan_choices
from hikflask.services.jobs.plan_choices import FACE_THERE, NAME_HERE, NAME_THERE
from hikflask.web.comparisons.comparisons import bp, finished_or_404
from hikflask.web.security import resubmission
from hikflask.web.support.pagination import listed

MAX_SHOWN = 50
ANSWERS = frozenset({NAME_THERE, NAME_HERE, FACE_THERE, LEAVE})
# Of whom a person must say whether it is the same person.
ASKED = frozenset({"name_differs", "face_differs"})


@bp.get("/plan")
@allow(OPERATOR)
def plan(terminal_id: int) -> ResponseReturnValue:
    """What would be done, for whom, and for whom it is not possible and why; nothing is done yet."""
    terminal, comparison = finished_or_404(terminal_id)
    return _page(terminal, comparison, PlanForm(formdata=None))


@bp.post("/plan")
@allow(OPERATOR)
def start_plan(terminal_id: int) -> ResponseReturnValue:
    """Start a plan that removes nobody."""
    return _start(*finished_or_404(terminal_id), by_admin=False)


@bp.post("/plan/remove")
@confirmed(ADMIN)
def remove(terminal_id: int) -> ResponseReturnValue:
    """Start a plan by which people lose access to the terminal."""
    return _start(*finished_or_404(terminal_id), by_admin=True)


@resubmission.restores("comparisons.remove")
def typed_again(fields: MultiDict[str, str], terminal_id: int) -> ResponseReturnValue:
    """Show the plan again with the number that was typed; where it has changed, show the new one and say so."""
    terminal, comparison = finished_or_404(terminal_id)
    form = PlanForm(formdata=fields)
    if form.shown.data == plans.make(comparison, plan_choices.of(comparison)).digest:
        return _page(terminal, comparison, form)
    return _changed(terminal, comparison, HTTPStatus.OK)


@bp.post("/plan/answer")
@allow(OPERATOR)
def answer(terminal_id: int) -> ResponseReturnValue:
    """Keep which name counts where a number has another name here; the plan follows from it."""
    _terminal, comparison = finished_or_404(terminal_id)
    given = answers(request.form, ANSWERS)
    if row_id(request.form.get("comparison")) != comparison.id:
        flash(error_sentence(PlanChanged()), "warning")
    elif given:
        plan_choices.answer(comparison, given)
    return redirect(url_for(".plan", terminal_id=terminal_id), 303)


@resubmission.restores("comparisons.answer")
def answered_again(fields: MultiDict[str, str], terminal_id: int) -> ResponseReturnValue:
    """Show what was answered, to be sent once more."""
    terminal, _comparison = finished_or_404(terminal_id)
    pairs = list(fields.items(multi=True))
    known = {"pairs": pairs, "count": len(answers(fields, ANSWERS))}
    return render_template("comparisons/chosen.html", terminal=terminal, endpoint="comparisons.answer", **known)


@bp.post("/plan/discard")
@allow(OPERATOR)
def discard(terminal_id: int) -> ResponseReturnValue:
    """Take back everything that was chosen."""
    _terminal, comparison = finished_or_404(terminal_id)
    plan_choices.discard(comparison)
    return redirect(url_for(".show", terminal_id=terminal_id), 303)


def _start(terminal: Terminal, comparison: Comparison, *, by_admin: bool) -> ResponseReturnValue:
    """Start the plan that the page showed; the second click of a double click shows the job that the first started."""
    form, chosen = PlanForm(), plan_choices.of(comparison)
    made = plans.make(comparison, chosen)
    try:
        shown.require_same(form.shown.data, made.digest)
        if not form.validate():
            return _page(terminal, comparison, form, HTTPStatus.UNPROCESSABLE_ENTITY)
        claim = plan_choices.start(comparison, chosen, made, Agreed(form.count, by_admin))
    except AdministratorNeeded:
        abort(HTTPStatus.FORBIDDEN)
    except UnsafePlan as error:
        form.refuse(error.count)
        return _page(terminal, comparison, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    except PlanChanged:
        job = plan_choices.started(comparison, form.shown.data)
        return _to_job(terminal, job.id) if job else _changed(terminal, comparison)
    tasks.enqueue_job(claim)
    return _to_job(terminal, claim.job_id)


def _to_job(terminal: Terminal, job_id: int) -> ResponseReturnValue:
    return redirect(url_for(".job", terminal_id=terminal.id, job_id=job_id), 303)


def _changed(terminal: Terminal, comparison: Comparison, status: int = HTTPStatus.CONFLICT) -> Response:
    """Answer the plan as it is now to whoever was shown another one; what was typed was typed for that one."""
    flash(error_sentence(PlanChanged()), "danger")
    return _page(terminal, comparison, PlanForm(formdata=None), status)


def _page(terminal: Terminal, comparison: Comparison, form: PlanForm, status: int = HTTPStatus.OK) -> Response:
    made = plans.make(comparison, plan_choices.of(comparison))
    asked = [step for step in made.refused if step.refusal_code in ASKED]
    refused = [step for step in made.refused if step.refusal_code not in ASKED]
    possible = [step for step in made.steps if not step.refusal and step.action != LEAVE]
    found = listed(lambda limit, offset: (possible[offset : offset + limit], len(possible)))
    known = {
        "plan": made,
        "found": found,
        "there": {one.number: one for one in queries.people(comparison.id, [step.number for step in found.rows])},
        "asked": asked[:MAX_SHOWN],
        "asked_count": len(asked),
        "refused": refused[:MAX_SHOWN],
        "refused_count": len(refused),
        "pictures": _has_picture,
        "face_files": preview.files_here({step.faces[0] for step in (*asked[:MAX_SHOWN], *found.rows) if step.faces}),
    }
    body = render_template("comparisons/plan.html", terminal=terminal, comparison=comparison, form=form, **known)
    return make_response(body, status)


def _has_picture(person: PersonThere) -> bool:
    """Tell whether the terminal gives the picture of a face."""
    return bool(person.face_url) and person.face_sha256 != ""
