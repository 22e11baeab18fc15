"""The plan that follows from what was chosen: a dry run by the code that carries it out, its start and its undo."""

from http import HTTPStatus

from flask import Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from hikflask.background import tasks
from hikflask.forms.comparisons import UndoForm, answers
from hikflask.forms.fields import row_id
from hikflask.forms.jobs import JobForm
from hikflask.http.permissions import ADMIN, OPERATOR, allow, confirmed
from hikflask.messages import error_sentence
from hikflask.models import Job, Terminal
from hikflask.models.comparison import Comparison
from hikflask.services.changes.kinds import APPLY
from hikflask.services.comparisons import namesakes, plan_choices, preview, queries, undo
from hikflask.services.comparisons import plan as plans
from hikflask.services.comparisons.plan import LEAVE, TAKE_OVER, Step
from hikflask.services.comparisons.plan_choices import FACE_THERE, NAME_HERE, NAME_KEPT, NAME_THERE
from hikflask.services.core import shown
from hikflask.services.core.errors import AdministratorNeeded, PlanChanged, ServiceError, UnsafePlan
from hikflask.services.enrolments.mass_removals import Confirmation
from hikflask.web.comparisons.comparisons import bp, chosen_page, finished_or_404
from hikflask.web.jobs.jobs import started_or_404
from hikflask.web.security import resubmission
from hikflask.web.support.pagination import listed
from hikflask.web.support.responses import refuse
from hikflask.web.terminals.terminals import terminal_or_404

MAX_SHOWN = 50
ANSWERS = frozenset({NAME_THERE, NAME_KEPT, NAME_HERE, FACE_THERE, LEAVE})
# Answers for all who are shown and are not answered one by one: similar names are the same person's; leave out.
ALL_SIMILAR, ALL_OUT = "similar", "leave"
# Of whom a person must say whether it is the same person.
ASKED = frozenset({"name_differs", "face_differs"})


@bp.get("/plan")
@allow(OPERATOR)
def plan(terminal_id: int) -> ResponseReturnValue:
    """What would be done, for whom, and for whom it is not possible and why; nothing is done yet."""
    terminal, comparison = finished_or_404(terminal_id)
    return _page(terminal, comparison, JobForm(formdata=None))


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
    form = JobForm(formdata=fields)
    if form.shown.data == plans.make(comparison, plan_choices.of(comparison)).digest:
        return _page(terminal, comparison, form)
    return _changed(terminal, comparison, HTTPStatus.OK)


@bp.post("/plan/answer")
@allow(OPERATOR)
def answer(terminal_id: int) -> ResponseReturnValue:
    """Keep which name counts where a number has another name here; the plan follows from it.

    One button answers for all with similar names, or leaves out all others, of those whom the page shows.
    """
    _terminal, comparison = finished_or_404(terminal_id)
    answered = {**_answers_for_all(comparison), **answers(request.form, ANSWERS)}
    if row_id(request.form.get("comparison")) != comparison.id:
        flash(error_sentence(PlanChanged()), "warning")
    elif answered:
        plan_choices.answer(comparison, answered)
    return redirect(url_for(".plan", terminal_id=terminal_id), 303)


@resubmission.restores("comparisons.answer")
def answered_again(fields: MultiDict[str, str], terminal_id: int) -> ResponseReturnValue:
    """Show what was answered, to be sent once more."""
    terminal, _comparison = finished_or_404(terminal_id)
    count = len({*answers(fields, ANSWERS), *(fields.getlist("shown") if fields.get("all") else ())})
    return chosen_page(terminal, "comparisons.answer", fields, count)


def _answers_for_all(comparison: Comparison) -> dict[str, str]:
    """Return the answers of the pressed button, by number. A face is never answered for by one."""
    shown_numbers, pressed = request.form.getlist("shown"), request.form.get("all")
    if pressed == ALL_OUT:
        return dict.fromkeys(shown_numbers, LEAVE)
    if pressed != ALL_SIMILAR:
        return {}
    steps = plans.make(comparison, plan_choices.of(comparison)).refused
    return {step.number: NAME_KEPT for step in steps if step.number in shown_numbers and _is_similar(step)}


def _is_similar(step: Step) -> bool:
    is_asked = step.refusal_code == "name_differs" and step.action == TAKE_OVER
    return is_asked and not step.faces and step.has_similar_names


@bp.post("/plan/discard")
@allow(OPERATOR)
def discard(terminal_id: int) -> ResponseReturnValue:
    """Take back everything that was chosen."""
    _terminal, comparison = finished_or_404(terminal_id)
    plan_choices.discard(comparison)
    return redirect(url_for(".show", terminal_id=terminal_id), 303)


@bp.get("/jobs/<int:job_id>")
@allow(OPERATOR)
def job(terminal_id: int, job_id: int) -> ResponseReturnValue:
    """The page that jobs of plans had before they were shown as all jobs are."""
    return _to_job(_plan_job_or_404(terminal_id, job_id)[1].id)


def _plan_job_or_404(terminal_id: int, job_id: int) -> tuple[Terminal, Job]:
    """Return a terminal with a job that carries out a plan there.

    :raises werkzeug.exceptions.NotFound: when there is none.
    """
    terminal, job = terminal_or_404(terminal_id), started_or_404(job_id)
    if job.kind != APPLY or job.terminal_id != terminal.id:
        abort(404)
    return terminal, job


def _start(terminal: Terminal, comparison: Comparison, *, by_admin: bool) -> ResponseReturnValue:
    """Start the plan that the page showed; the second click of a double click shows the job that the first started."""
    form, chosen = JobForm(), plan_choices.of(comparison)
    made = plans.make(comparison, chosen)
    try:
        shown.require_same(form.shown.data, made.digest)
        claim = plan_choices.start(comparison, chosen, made, Confirmation(row_id(form.confirm.data), by_admin))
    except AdministratorNeeded:
        abort(HTTPStatus.FORBIDDEN)
    except UnsafePlan as error:
        return _page(terminal, comparison, form, refuse(form.confirm, error))
    except PlanChanged:
        job = plan_choices.started(comparison, form.shown.data)
        return _to_job(job.id) if job else _changed(terminal, comparison)
    tasks.enqueue_job(claim)
    return _to_job(claim.job_id)


def _to_job(job_id: int) -> ResponseReturnValue:
    return redirect(url_for("jobs.show", job_id=job_id), 303)


def _changed(terminal: Terminal, comparison: Comparison, status: int = HTTPStatus.CONFLICT) -> Response:
    """Show the plan as it is now in place of the one that was shown, without what was typed for that one."""
    flash(error_sentence(PlanChanged()), "danger")
    return _page(terminal, comparison, JobForm(formdata=None), status)


def _page(terminal: Terminal, comparison: Comparison, form: JobForm, status: int = HTTPStatus.OK) -> Response:
    made = plans.make(comparison, plan_choices.of(comparison))
    # Similar names first, which one button answers.
    asked = sorted((step for step in made.refused if step.refusal_code in ASKED), key=_is_similar, reverse=True)
    refused = [step for step in made.refused if step.refusal_code not in ASKED]
    possible = [step for step in made.steps if not step.refusal and step.action != LEAVE]
    found = listed(lambda limit, offset: (possible[offset : offset + limit], len(possible)))
    people = queries.people(comparison.id, [step.number for step in (*asked[:MAX_SHOWN], *found.rows)])
    same = namesakes.of_new(possible)
    known = {
        "plan": made,
        "found": found,
        "there": {person.number: person for person in people},
        "asked": asked[:MAX_SHOWN],
        "asked_count": len(asked),
        "similar": {step.number for step in asked[:MAX_SHOWN] if _is_similar(step)},
        "namesakes": list(same.items())[:MAX_SHOWN],
        "namesake_count": len(same),
        "name_there": {step.number: step.name_there for step in possible if step.number in same},
        "refused": refused[:MAX_SHOWN],
        "refused_count": len(refused),
        "face_files": preview.files_here({step.faces[0] for step in (*asked[:MAX_SHOWN], *found.rows) if step.faces}),
    }
    body = render_template("comparisons/plan.html", terminal=terminal, comparison=comparison, form=form, **known)
    return make_response(body, status)


@bp.get("/jobs/<int:job_id>/undo")
@allow(OPERATOR)
def ask_undo(terminal_id: int, job_id: int) -> ResponseReturnValue:
    """Ask before people are taken back: how many that is, and how many stay, since they were changed."""
    terminal, job = _plan_job_or_404(terminal_id, job_id)
    if not undo.can_undo(job):
        return _to_job(job_id)
    can, changed = undo.preview(job_id)
    return render_template("comparisons/undo.html", terminal=terminal, job=job, can=can, changed=changed)


@bp.post("/jobs/<int:job_id>/undo")
@allow(OPERATOR)
def start_undo(terminal_id: int, job_id: int) -> ResponseReturnValue:
    """Start the undo; a second click shows the job that the first started."""
    _terminal, job = _plan_job_or_404(terminal_id, job_id)
    try:
        claim = undo.start(job_id, row_id(UndoForm().people.data) or 0)
    except PlanChanged as error:
        flash(error_sentence(error), "danger")
        return redirect(url_for(".ask_undo", terminal_id=terminal_id, job_id=job_id), 303)
    except ServiceError as error:
        if undoing := undo.running(job):
            return _to_job(undoing.id)
        flash(error_sentence(error), "danger")
        return _to_job(job_id)
    tasks.enqueue_job(claim)
    return _to_job(claim.job_id)
