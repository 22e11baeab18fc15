"""The comparison of a terminal: started here, read with its progress, and shown difference by difference with faces."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from hikflask.background import tasks
from hikflask.http import terminal_concurrency
from hikflask.http.permissions import OPERATOR, allow
from hikflask.isapi.errors import TerminalError
from hikflask.messages import error_sentence
from hikflask.models import Terminal
from hikflask.models.comparison import DONE, KINDS, ONLY_THERE, READING, Comparison
from hikflask.services import audit
from hikflask.services.comparisons import ignored, plan_choices, preview, queries
from hikflask.services.comparisons import plan as plans
from hikflask.services.comparisons.plan import Choices, Plan
from hikflask.services.comparisons.queries import ComparedNumber
from hikflask.services.core.errors import ServiceError
from hikflask.web.jobs.report import report_of
from hikflask.web.support import htmx, responses
from hikflask.web.terminals.terminals import terminal_or_404

bp = Blueprint("comparisons", __name__, url_prefix="/terminals/<int:terminal_id>/comparison")

ROWS = 50
# Among the kinds of an address: what people decided to leave as it is.
LEFT = "left"


@dataclass(frozen=True)
class Page:
    """The differences of one kind from one place on, with what is chosen for each, and what was chosen in all.

    `kind` is one of KINDS or LEFT, or "" when there is no difference at all. `after` is the last row of this page when
    more follow, else 0.
    """

    comparison: Comparison
    kind: str
    counts: dict[str, int]
    doubts: list[str]
    left_count: int
    rows: list[Any]
    after: int
    chosen: Choices
    plan: Plan | None
    face_files: Mapping[str, str]

    @property
    def differences(self) -> int:
        """How many differences are shown."""
        return sum(self.counts.values())

    def choice(self, row: ComparedNumber) -> str:
        """Return what is chosen for a row, or an empty text."""
        by_kind = next((self.chosen.kinds[kind] for kind in row.kinds if kind in self.chosen.kinds), "")
        action = self.chosen.numbers.get(row.number, by_kind)
        return "" if action == plans.LEAVE else action


@bp.get("")
@allow(OPERATOR)
def show(terminal_id: int) -> ResponseReturnValue:
    """The terminal's last comparison: not begun, being read, or its differences. By htmx, the rows that follow."""
    terminal = terminal_or_404(terminal_id)
    latest = queries.latest(terminal_id)
    if htmx.wants_fragment() and latest and latest.state == DONE:
        page = _page_of(latest)
        return render_template("comparisons/_rows.html", terminal=terminal, page=page)
    return render_template("comparisons/show.html", **_about(terminal, latest))


@bp.get("/state")
@allow(OPERATOR, is_activity=False)
def state(terminal_id: int) -> ResponseReturnValue:
    """The part of the page that polls while the terminal is read, with the bar."""
    terminal = terminal_or_404(terminal_id)
    about = _about(terminal, queries.latest(terminal_id))
    return htmx.with_bar(render_template("comparisons/_comparison.html", **about))


@bp.post("")
@allow(OPERATOR)
def start(terminal_id: int) -> ResponseReturnValue:
    """Compare the terminal; a second click shows the comparison that the first one started."""
    terminal = terminal_or_404(terminal_id)
    try:
        claim = plan_choices.start_compare(terminal.id)
    except ServiceError as error:
        flash(error_sentence(error), "danger")
    else:
        if claim:
            tasks.enqueue_job(claim)
    take_over = request.form.get("take_over") == "1"
    return redirect(url_for(".show", terminal_id=terminal_id, take_over=1 if take_over else None), 303)


@bp.get("/face")
@allow(OPERATOR, is_activity=False)
def face(terminal_id: int) -> Response:
    """Answer the picture that the comparison read, fetched from the terminal anew; it is not stored here.

    The ID is in the query: logs of servers in front have paths.
    """
    terminal, comparison = finished_or_404(terminal_id)
    number = request.args.get("number", "")
    try:
        with terminal_concurrency.slot():
            picture = preview.picture_there(comparison, number, audit.current_actor().name)
    except (TerminalError, ServiceError):
        abort(HTTPStatus.SERVICE_UNAVAILABLE)
    if picture is None:
        abort(HTTPStatus.NOT_FOUND)
    preview.record_view(terminal, comparison, number)
    return responses.picture(picture, may_be_kept=False)


def finished_or_404(terminal_id: int) -> tuple[Terminal, Comparison]:
    """Return a terminal with its last comparison that came to its end.

    :raises werkzeug.exceptions.NotFound: when there is none.
    """
    terminal = terminal_or_404(terminal_id)
    return terminal, queries.finished(terminal_id) or abort(404)


def chosen_page(terminal: Terminal, endpoint: str, fields: MultiDict[str, str], count: int) -> str:
    """Show what was chosen for so many people before the operator signed in again, to be sent once more."""
    pairs = list(fields.items(multi=True))
    return render_template("comparisons/chosen.html", terminal=terminal, endpoint=endpoint, pairs=pairs, count=count)


def _about(terminal: Terminal, comparison: Comparison | None) -> dict[str, Any]:
    """Return what the page of a terminal's comparison shows."""
    job = plan_choices.job_of(comparison) if comparison and comparison.state == READING else None
    report = report_of(job) if job else None
    return {
        "terminal": terminal,
        "comparison": comparison,
        "report": report,
        "poll_seconds_of_page": report.poll_seconds if report else 0,
        "page": _page_of(comparison) if comparison and comparison.state == DONE else None,
        "applied": plan_choices.applied(comparison) if comparison else None,
        "possible": plans.POSSIBLE,
        "takes_over": request.args.get("take_over") == "1",
    }


def _page_of(comparison: Comparison) -> Page:
    """Return the rows that the address asks for: the first kind that there is, unless it names one."""
    counts = dict(queries.counts(comparison))
    left_count = queries.count_ignored(comparison)
    kind, after = request.values.get("kind", ""), request.args.get("after", 0, int)
    if kind not in {*KINDS, LEFT}:
        first = [ONLY_THERE] if request.args.get("take_over") else []
        kind = next((kind for kind in (*first, *KINDS) if counts[kind]), LEFT if left_count else "")
    rows: list[Any] = []
    if kind == LEFT:
        rows = [*ignored.decisions(comparison, after, ROWS + 1)]
    elif kind:
        rows = queries.list_differences(comparison, kind, after, ROWS + 1)
    chosen = plan_choices.of(comparison)
    return Page(
        comparison=comparison,
        kind=kind,
        counts=counts,
        doubts=queries.doubts(comparison),
        left_count=left_count,
        rows=rows[:ROWS],
        after=rows[ROWS - 1].id if len(rows) > ROWS else 0,
        chosen=chosen,
        plan=plans.make(comparison, chosen) if chosen.numbers or chosen.kinds else None,
        face_files=preview.files_here(
            {row.face_here for row in rows if isinstance(row, ComparedNumber) and row.has_another_face}
        ),
    )
