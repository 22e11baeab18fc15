"""The start page: what a person must do, the worst first. It keeps itself up to date."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from hikflask.http.permissions import VIEWER, allow
from hikflask.isapi.errors import IllegalNumber, WeakDigest
from hikflask.labels.comparisons import drift_summary
from hikflask.labels.enrolments import EnrolmentStatus, status_of
from hikflask.labels.terminals import problem_sentence
from hikflask.models import Employee, Enrolment, Terminal
from hikflask.models.enrolment import PRESENT
from hikflask.services.attention import overview, terminal_problems
from hikflask.services.attention.terminal_problems import Problem
from hikflask.services.core.errors import NameTooLong
from hikflask.services.state.badges import PERSON_ONLY, TAKEN_THERE
from hikflask.services.state.enrolment import CHANGED_SINCE_BACKUP
from hikflask.services.terminals import people_changes
from hikflask.web.security.current_operator import operator_name
from hikflask.web.support import attention_counts, htmx

bp = Blueprint("attention", __name__)

WRONG_IN_THE_FORM = {NameTooLong.code, IllegalNumber.own_code, "notsupportcharacter"}
# What the one button of a terminal's line does, by what is wrong; else its record here is edited.
CORRECTIONS = {
    terminal_problems.LOST: "employees",
    terminal_problems.FULL: "employees",
    terminal_problems.CLOCK: "clock",
    terminal_problems.RESTORED: "after_restore",
    terminal_problems.REPLACED: "restore",
    terminal_problems.OFF: "check",
    terminal_problems.UNCHECKED: "check",
}


@dataclass(frozen=True)
class RefusedLine:
    """A refused employee: the state on the terminal that refused, and what the one button of the line does."""

    status: EnrolmentStatus
    action: str


@dataclass(frozen=True)
class TerminalLine:
    """A terminal, what is wrong or was changed there and since when, and what the one button of the line does."""

    terminal: Terminal
    why: str
    since: datetime | None
    action: str = "compare"


@bp.get("/")
@allow(VIEWER)
def start() -> ResponseReturnValue:
    """Go to the start page."""
    return redirect(url_for(".show"))


@bp.get("/attention")
@allow(VIEWER)
def show() -> ResponseReturnValue:
    """What needs attention."""
    return render_template("attention/overview.html", **_context())


@bp.get("/attention/state")
@allow(VIEWER, is_activity=False)
def state() -> ResponseReturnValue:
    """The part of the page that polls; the whole page for a browser without JavaScript, which loads it again."""
    if not htmx.wants_fragment():
        return show()
    return htmx.with_bar(render_template("attention/_groups.html", **_context()))


def _context() -> dict[str, object]:
    seen = overview.overview(attention_counts.get(), operator_name())
    return {
        "seen": seen,
        "counts": seen.counts,
        "removals": [status_of(enrolment) for enrolment in seen.removals],
        "left_there": seen.counts.left_there[: overview.MAX_SHOWN],
        "refused": [_refused_line(enrolment) for enrolment in seen.refused],
        "problems": [_problem_line(problem) for problem in seen.counts.problems[: overview.MAX_SHOWN]],
        "drift": [_drift_line(terminal) for terminal, _count in seen.counts.drift[: overview.MAX_SHOWN]],
        "operator": operator_name(),
        "session_terminal": _session_terminal,
    }


def _refused_line(enrolment: Enrolment) -> RefusedLine:
    status = status_of(enrolment)
    if status.detail == TAKEN_THERE or enrolment.refusal_code == CHANGED_SINCE_BACKUP:
        return RefusedLine(status, "decide")
    if enrolment.refusal_code in WRONG_IN_THE_FORM:
        return RefusedLine(status, "edit")
    return RefusedLine(status, "capture" if status.detail == PERSON_ONLY and not status.lacks_capacity else "retry")


def _session_terminal(employee: Employee) -> Terminal | None:
    """Return the terminal whose enrolment session includes an employee without a face: the employee's only one."""
    desired = [enrolment.terminal for enrolment in employee.enrolments if enrolment.desired == PRESENT]
    return desired[0] if len(desired) == 1 and desired[0].is_active else None


def _problem_line(problem: Problem) -> TerminalLine:
    terminal = problem.terminal
    is_replaced = problem.kind == terminal_problems.REPLACED
    since = terminal.device_changed_at if is_replaced else terminal.refused_since or terminal.offline_since
    if problem.lost and problem.kind == terminal_problems.LOST:
        since = problem.lost.noticed_at
    otherwise = "check" if terminal.last_error_code == WeakDigest.own_code else "edit"
    return TerminalLine(terminal, problem_sentence(problem), since, CORRECTIONS.get(problem.kind, otherwise))


def _drift_line(terminal: Terminal) -> TerminalLine:
    """Return the line of a terminal whose people were changed there since its last comparison."""
    changes = people_changes.changes_at(terminal.id)
    return TerminalLine(terminal, drift_summary(changes), min((row.noticed_at for row in changes), default=None))
