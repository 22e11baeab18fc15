"""Undoing what a plan took over from a terminal: the question, which says for how many, and the start."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from hikflask.background import tasks
from hikflask.forms.comparisons import UndoForm
from hikflask.forms.fields import row_id
from hikflask.http.permissions import OPERATOR, allow
from hikflask.messages import error_sentence
from hikflask.services.comparisons import undo
from hikflask.services.core.errors import PlanChanged, ServiceError
from hikflask.services.jobs import take_over_undo
from hikflask.web.comparisons.comparisons import bp
from hikflask.web.comparisons.plan import plan_job_or_404


@bp.get("/jobs/<int:job_id>/undo")
@allow(OPERATOR)
def ask_undo(terminal_id: int, job_id: int) -> ResponseReturnValue:
    """Ask before people are taken back: how many that is, and how many stay, since they were changed."""
    terminal, job = plan_job_or_404(terminal_id, job_id)
    if not take_over_undo.can_undo(job):
        return redirect(url_for(".job", terminal_id=terminal_id, job_id=job_id), 303)
    can, changed = undo.preview(job_id)
    return render_template("comparisons/undo.html", terminal=terminal, job=job, can=can, changed=changed)


@bp.post("/jobs/<int:job_id>/undo")
@allow(OPERATOR)
def start_undo(terminal_id: int, job_id: int) -> ResponseReturnValue:
    """Start the undo; a second click shows the job that the first started."""
    _terminal, job = plan_job_or_404(terminal_id, job_id)
    try:
        claim = take_over_undo.start(job_id, row_id(UndoForm().people.data) or 0)
    except PlanChanged as error:
        flash(error_sentence(error), "danger")
        return redirect(url_for(".ask_undo", terminal_id=terminal_id, job_id=job_id), 303)
    except ServiceError as error:
        if undoing := take_over_undo.running(job):
            return redirect(url_for("jobs.show", job_id=undoing.id), 303)
        flash(error_sentence(error), "danger")
        return redirect(url_for(".job", terminal_id=terminal_id, job_id=job_id), 303)
    tasks.enqueue_job(claim)
    return redirect(url_for("jobs.show", job_id=claim.job_id), 303)
