"""The people of one row of the start page, each with what can be done for them alone, and what is done for all."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hikflask.background import tasks
from hikflask.forms.fields import row_id
from hikflask.http.permissions import OPERATOR, VIEWER, allow
from hikflask.models import Terminal
from hikflask.services.attention import people_problems
from hikflask.services.attention.people_problems import NO_TERMINAL
from hikflask.services.core.db import MAX_COUNTED
from hikflask.services.enrolments import causes
from hikflask.services.terminals import registry
from hikflask.web.attention.overview import bp, people_line
from hikflask.web.support import attention_counts
from hikflask.web.support.urls import next_or


@bp.get("/attention/people")
@allow(VIEWER)
def people() -> ResponseReturnValue:
    """The people of one row, each with the reason and with what can be done."""
    cause = request.args.get("cause", "")
    if cause == NO_TERMINAL:
        employees = people_problems.without_terminal(MAX_COUNTED + 1)
        return render_template("attention/no_terminal.html", employees=employees[:MAX_COUNTED], count=len(employees))
    terminal, counts = _terminal_or_404(), attention_counts.get()
    shown = people_problems.everybody(cause, terminal)
    lines = [people_line(each, counts, f"person-{place}") for place, each in enumerate(shown.each, 1)]
    return render_template("attention/people.html", line=people_line(shown, counts), lines=lines)


@bp.post("/attention/retry")
@allow(OPERATOR)
def retry() -> ResponseReturnValue:
    """Try everybody of one row again."""
    causes.retry_all(request.form.get("cause", ""), _terminal_or_404().id)
    tasks.enqueue_turns()
    flash(_("It is tried again. The result appears below."))
    return redirect(next_or(url_for(".show")), 303)


def _terminal_or_404() -> Terminal:
    return registry.find_terminal(row_id(request.values.get("terminal")) or 0) or abort(404)
