"""The job of a plan: its progress, then for whom what was done, and for whom not and why."""

from dataclasses import dataclass
from typing import Any

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from hikflask.http.permissions import OPERATOR, allow
from hikflask.services.jobs import plan_report as applied
from hikflask.services.jobs.kinds import APPLY
from hikflask.services.jobs.plan_report import Done
from hikflask.web.comparisons.comparisons import bp
from hikflask.web.jobs.jobs import report_of, started_or_404
from hikflask.web.support.htmx import with_bar
from hikflask.web.terminals.terminals import terminal_or_404

ROWS = 50


@dataclass(frozen=True)
class Group:
    """The people for whom one thing was done: how many, the first of them, and the last one shown when more follow."""

    action: str
    count: int
    rows: list[Done]
    after: int


@bp.get("/jobs/<int:job_id>")
@allow(OPERATOR)
def job(terminal_id: int, job_id: int) -> ResponseReturnValue:
    """How far a plan is, and what was done."""
    return render_template("comparisons/job.html", **_about(terminal_id, job_id))


@bp.get("/jobs/<int:job_id>/state")
@allow(OPERATOR, is_activity=False)
def job_state(terminal_id: int, job_id: int) -> ResponseReturnValue:
    """The part of the page that polls, with the bar."""
    return with_bar(render_template("comparisons/_job.html", **_about(terminal_id, job_id)))


def _about(terminal_id: int, job_id: int) -> dict[str, Any]:
    terminal, found = terminal_or_404(terminal_id), started_or_404(job_id)
    if found.kind != APPLY or found.terminal_id != terminal.id:
        abort(404)
    counts, asked = applied.counts(job_id), request.args.get("action", "")
    after = request.args.get("after", 0, int) if asked in counts else 0
    groups = [_group(job_id, action, count, after) for action, count in counts.items() if asked in ("", action)]
    return {"terminal": terminal, "report": report_of(found), "groups": groups}


def _group(job_id: int, action: str, count: int, after: int) -> Group:
    rows = applied.done(job_id, action, ROWS + 1, after)
    return Group(action, count, rows[:ROWS], rows[ROWS - 1].item.id if len(rows) > ROWS else 0)
