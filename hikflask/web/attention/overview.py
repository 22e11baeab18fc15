"""The start page: what a person must do, one row for each cause and terminal. It keeps itself up to date."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import repeat

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hikflask.background import tasks
from hikflask.codes import refusals
from hikflask.codes.badges import NO_PHOTO_THERE
from hikflask.forms.fields import row_id
from hikflask.http.permissions import OPERATOR, VIEWER, allow
from hikflask.isapi.errors import WeakDigest
from hikflask.labels import attention as labels
from hikflask.labels import terminals as labels_of_terminals
from hikflask.labels.comparisons import drift_summary
from hikflask.labels.enrolments import EnrolmentStatus, status_of
from hikflask.labels.terminals import problem_sentence
from hikflask.models import Employee, Terminal, TerminalPrivacy
from hikflask.models.terminal import NO_CAPTURE
from hikflask.services.attention import overview, people_problems, terminal_problems
from hikflask.services.attention.overview import Counts, Waiting
from hikflask.services.attention.people_problems import LINGERING_ACCESS, NO_TERMINAL, PeopleProblem, ProblemWithPeople
from hikflask.services.attention.terminal_problems import Problem
from hikflask.services.core.db import MAX_COUNTED
from hikflask.services.enrolments import causes
from hikflask.services.passages import journal, terminal_privacy
from hikflask.services.provisioning import without_face
from hikflask.services.terminals import capacity, people_changes, registry
from hikflask.web.security.current_operator import operator_name
from hikflask.web.support import attention_counts, htmx
from hikflask.web.support.urls import next_or

bp = Blueprint("attention", __name__)

# What the one button of a terminal's line does, by what is wrong; else its record here is edited.
CORRECTIONS = {
    terminal_problems.LOGIN: "password",
    terminal_problems.LOCKED: "password",
    terminal_problems.LOST: "employees",
    terminal_problems.FULL: "employees",
    terminal_problems.CLOCK: "clock",
    terminal_problems.RESTORED: "after_restore",
    terminal_problems.REPLACED: "restore",
    terminal_problems.OFF: "check",
    terminal_problems.UNCHECKED: "check",
}
# What is done for each of several people alone.
ONE_BY_ONE = {**dict.fromkeys((refusals.TAKEN, refusals.CHANGED, refusals.LEFT_ALONE), "decide"), refusals.FORM: "edit"}
# More than any number of rows.
ALL = 10**6


@dataclass(frozen=True)
class TerminalLine:
    """A terminal, what is wrong or was changed there and since when, and what the one button of the line does.

    `waiting`: who waits for it; `affected`: how many are refused until it is corrected. `others`: the terminals that
    became silent with it.
    """

    terminal: Terminal
    why: str
    since: datetime | None
    action: str = "compare"
    is_bad: bool = False
    waiting: Waiting | None = None
    affected: int = 0
    others: Sequence[Terminal] = ()


@dataclass(frozen=True)
class PeopleLine:
    """People with one cause at one terminal: who they are, what is wrong, why, and what the one button does for all.

    `id` is its own on the page. `statuses` are those of the first of them, `employees` their faces. Without an `action`
    nobody can do anything now.
    """

    id: str
    problem: PeopleProblem
    who: str
    fact: str
    why: str
    since: datetime | None
    statuses: Sequence[EnrolmentStatus]
    employees: Sequence[Employee]
    action: str

    @property
    def is_bad(self) -> bool:
        """True where somebody may still open a door who must not."""
        return self.problem.is_bad

    @property
    def only(self) -> Employee | None:
        """The employee, where it is one alone."""
        return self.employees[0] if self.problem.count == 1 and self.employees else None

    @property
    def address(self) -> str:
        """Where the line leads: to the employee, or to the list of all of them."""
        return url_for("employees.show", employee_id=self.only.id) if self.only else self.all_of_them

    @property
    def all_of_them(self) -> str:
        """The address of the list."""
        return url_for("attention.people", cause=self.problem.cause, terminal=self.problem.terminal.id)

    @property
    def is_tried(self) -> bool:
        """True while they are tried again already."""
        return bool(self.statuses) and all(status.working and status.enrolment.tried_at for status in self.statuses)


@bp.get("/")
@allow(VIEWER)
def start() -> ResponseReturnValue:
    """Go to the start page."""
    return redirect(url_for(".show"))


@bp.get("/attention")
@allow(VIEWER)
def show() -> ResponseReturnValue:
    """What needs attention; the front page when nothing does."""
    return render_template("attention/overview.html", **_context())


@bp.get("/attention/state")
@allow(VIEWER, is_activity=False)
def state() -> ResponseReturnValue:
    """The part of the page that polls; the whole page for a browser without JavaScript, which loads it again."""
    if not htmx.wants_fragment():
        return show()
    return htmx.with_bar(render_template("attention/_groups.html", **_context()))


@bp.post("/attention/seen")
@allow(OPERATOR)
def mark_seen() -> ResponseReturnValue:
    """End an alarm of the journals of one or several terminals: the operator has seen it."""
    terminals, counts = ([row_id(text) or 0 for text in request.form.getlist(name)] for name in ("terminal", "count"))
    major, minor = (row_id(part) or 0 for part in request.form.get("code", "").partition("/")[::2])
    of_each = [journal.mark_seen(*each) for each in zip(terminals, repeat((major, minor)), counts, strict=False)]
    if not of_each or not all(of_each):
        flash(_("It was recorded again since, or somebody else has seen it."), "warning")
    return redirect(next_or(url_for(".show")), 303)


def _context() -> dict[str, object]:
    shows_all = "all" in request.args
    most = ALL if shows_all else overview.MAX_SHOWN
    seen = overview.overview(attention_counts.get(), operator_name(), most)
    alarms = sorted(seen.counts.journal_rows, key=lambda same: journal.is_danger(same[0]), reverse=True)
    dangers = [same for same in alarms if journal.is_danger(same[0])]
    alarmed = {alarm.terminal_id for same in dangers for alarm in same}
    lost = {problem.terminal.id: problem.lost for problem in seen.counts.problems if problem.lost}
    return {
        "seen": seen,
        "counts": seen.counts,
        "shows_all": shows_all,
        "problems": [_problems_line(same, seen) for same in seen.counts.problem_rows[:most]],
        "dangers": dangers[:most],
        "dangers_count": len(dangers),
        "journal": alarms[len(dangers) :][:most],
        "states": labels_of_terminals.summary(seen.counts.terminals, lost, alarmed),
        "doors": seen.counts.doors[:most],
        "foreign": [_foreign_line(terminal, row) for terminal, row in seen.counts.foreign[:most]],
        "halted": seen.counts.halted[:most],
        "drift": [_drift_line(terminal) for terminal, _count in seen.counts.drift[:most]],
        "people": [_people_line(shown, seen.counts) for shown in seen.people],
        "who": labels.who,
        "operator": operator_name(),
    }


def _problems_line(same: Sequence[Problem], seen: overview.Overview) -> TerminalLine:
    """Return the line of a problem, or of terminals that became silent at once."""
    if len(same) == 1:
        return _problem_line(same[0], seen)
    since = min(problem.went_off for problem in same if problem.went_off)
    others = [problem.terminal for problem in same[1:]]
    why = _("They stopped answering at the same time. Check power and network.")
    return TerminalLine(same[0].terminal, why, since, "list", is_bad=True, others=others)


def _problem_line(problem: Problem, seen: overview.Overview) -> TerminalLine:
    terminal = problem.terminal
    is_replaced = problem.kind == terminal_problems.REPLACED
    since = terminal.device_changed_at if is_replaced else terminal.refused_since or terminal.offline_since
    if problem.lost and problem.kind == terminal_problems.LOST:
        since = problem.lost.noticed_at
    otherwise = "check" if terminal.last_error_code == WeakDigest.own_code else "edit"
    return TerminalLine(
        terminal,
        problem_sentence(problem),
        since,
        CORRECTIONS.get(problem.kind, otherwise),
        is_bad=problem.stops,
        waiting=seen.waiting.get(terminal.id),
        affected=seen.affected.get(terminal.id, 0),
    )


def _foreign_line(terminal: Terminal, row: TerminalPrivacy) -> TerminalLine:
    """Return the line of a terminal that sends events to somebody else."""
    places = [place.place for place in terminal_privacy.destinations(row) if not place.is_ours]
    why = _("Sends events to %(address)s: names and faces may go there.", address=", ".join(places))
    return TerminalLine(terminal, why, None, is_bad=True)


def _drift_line(terminal: Terminal) -> TerminalLine:
    """Return the line of a terminal whose people were changed there since its last comparison."""
    changes = people_changes.changes_at(terminal.id)
    return TerminalLine(terminal, drift_summary(changes), min((row.noticed_at for row in changes), default=None))


def _people_line(shown: ProblemWithPeople, counts: Counts, line_id: str = "") -> PeopleLine:
    """Return the line of some people with one cause at one terminal.

    :param line_id: its id on the page, where that is not said by the cause and the terminal.
    """
    problem = _counted(shown.problem)
    statuses = [status_of(enrolment) for enrolment in shown.enrolments]
    employees = [row.employee for row in shown.enrolments if row.employee] or shown.employees
    names = [row.last_name or "—" if not row.employee else row.employee.name for row in shown.enrolments]
    names = names or [employee.name for employee in shown.employees]
    since = min((row.desired_since for row in shown.enrolments if row.desired_since), default=None)
    if problem.people:
        since = min((person.left_at for person in problem.people if person.left_at), default=None)
    return PeopleLine(
        line_id or f"{problem.cause}-{problem.terminal.id}",
        problem,
        labels.who(names, problem.count, has_more=problem.has_more),
        labels.fact(problem),
        _why(problem, statuses, counts),
        since,
        statuses,
        employees,
        _action(problem, statuses, counts),
    )


def _counted(problem: PeopleProblem) -> PeopleProblem:
    """Return a problem; where more need a photo than were counted, with as many as the photo round leads through."""
    if problem.cause == refusals.PHOTO and (problem.has_more or problem.count > MAX_COUNTED):
        return replace(problem, count=without_face.count(problem.terminal), has_more=False)
    return problem


def _why(problem: PeopleProblem, statuses: Sequence[EnrolmentStatus], counts: Counts) -> str:
    """Return the reason where it is the same for all of them."""
    if problem.cause == LINGERING_ACCESS:
        return str(_("The comparison found them there; they may still open doors."))
    if problem.cause == causes.LEAVING and _is_stopped(problem.terminal, counts):
        return str(_("It will be done as soon as the terminal works again."))
    if statuses and all(status.badge == NO_PHOTO_THERE for status in statuses):
        return str(_("The terminal takes no photo files, so the photo is taken there."))
    reasons = {status.reason for status in statuses}
    return reasons.pop() if len(reasons) == 1 else ""


def _is_stopped(terminal: Terminal, counts: Counts) -> bool:
    """True when nothing can be done there now: it is not in use, does not answer, or must be corrected first."""
    stopped = {problem.terminal.id for problem in counts.problems if problem.stops}
    return not terminal.is_active or terminal.id in stopped


def _action(problem: PeopleProblem, statuses: Sequence[EnrolmentStatus], counts: Counts) -> str:
    """Return what the one button does, for one person alone or for all; nothing that cannot work is offered."""
    if problem.cause == LINGERING_ACCESS:
        return "remove"
    if problem.cause in ONE_BY_ONE:
        return ONE_BY_ONE[problem.cause] if problem.count == 1 else "list"
    asks = [status.enrolment.waits_for_hand or status.asks_whose for status in statuses]
    if problem.cause == causes.LEAVING and asks and all(asks):
        return "ask" if problem.count == 1 else "list"
    if problem.cause == causes.LEAVING and problem.terminal.is_active and problem.terminal.reachable is False:
        return "check"
    if _is_stopped(problem.terminal, counts) or not counts.is_saving:
        return ""
    return _action_at_terminal(problem)


def _action_at_terminal(problem: PeopleProblem) -> str:
    terminal, alone = problem.terminal, problem.count == 1
    if problem.cause in {refusals.FULL, refusals.PHOTO} and 0 in capacity.remaining(terminal):
        return "employees"
    if problem.cause != refusals.PHOTO:
        return "retry"
    if terminal.capture_mode == NO_CAPTURE:
        return "edit" if alone else "list"
    return "capture" if alone else "round"


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
    lines = [_people_line(each, counts, f"person-{place}") for place, each in enumerate(shown.each, 1)]
    return render_template("attention/people.html", line=_people_line(shown, counts), lines=lines)


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
