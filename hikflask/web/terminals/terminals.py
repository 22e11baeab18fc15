"""Terminals: the list, the page of one with its people and its comparison, and its queue, as people can read it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hikflask.forms.fields import row_id
from hikflask.forms.terminals import DoorPageForm
from hikflask.http.permissions import ADMIN, OPERATOR, VIEWER, allow
from hikflask.labels import passage_plots
from hikflask.labels.enrolments import status_of
from hikflask.labels.terminals import clocks_of
from hikflask.messages import error_sentence
from hikflask.models import JournalAlarm, Terminal
from hikflask.models.comparison import ONLY_THERE, READING, Comparison, Drift
from hikflask.services.attention import terminal_people, terminal_problems, terminal_queue
from hikflask.services.comparisons import plan_choices, queries
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees import search
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.passages import coverage, journal, pushes, switch, terminal_privacy
from hikflask.services.passages import queries as passages
from hikflask.services.provisioning import bring_people, same_device, send_preview, without_face
from hikflask.services.terminals import (
    capacity,
    checks,
    clock,
    connection,
    door,
    lost_people,
    people_changes,
    reachability,
    registry,
)
from hikflask.services.terminals.lost_people import LostPeople
from hikflask.web.security import current_operator
from hikflask.web.support import attention_counts
from hikflask.web.support.htmx import with_bar
from hikflask.web.support.pagination import ROWS

# Of the queue on a terminal's page.
FIRST_ROWS = 5
MAX_FACES = 24
# What a state asks for (attention/terminal_problems.py): the main button of the page, by its name in _main_action.html.
ACTIONS = {
    terminal_problems.LOCKED: "password",
    terminal_problems.LOGIN: "password",
    terminal_problems.STOPPED: "edit",
    terminal_problems.RESTORED: "after_restore",
    terminal_problems.REPLACED: "restore",
    terminal_problems.OFF: "check",
    terminal_problems.UNCHECKED: "check",
    terminal_problems.LOST: "check",
    terminal_problems.FULL: "people",
    terminal_problems.CLOCK: "clock",
}
OF_ADMIN = {"password", "edit", "after_restore", "restore"}
OF_OPERATOR = {"check", "clock", "round", "everybody"}
bp = Blueprint("terminals", __name__, url_prefix="/terminals")


@dataclass(frozen=True)
class Compared:
    """The last finished comparison of a terminal with its counts by kind, and what was noticed there since.

    `may_be_outdated`: a plan of it was started, or it is old. `is_reading`: one is being read now.
    """

    finished: Comparison | None
    counts: Mapping[str, int]
    may_be_outdated: bool
    is_reading: bool
    drift: list[Drift]

    @property
    def differences(self) -> int:
        """How many differences there are."""
        return sum(self.counts.values())

    @property
    def offers_people(self) -> bool:
        """True when people can be taken over, or nobody knows yet whether there are such people."""
        return self.finished is None or self.may_be_outdated or self.counts[ONLY_THERE] > 0


@bp.get("/")
@allow(VIEWER)
def index() -> ResponseReturnValue:
    """All terminals: alarms and the worst problem first, then where somebody waits; those that are not in use last."""
    rows, lost = registry.list_all(), lost_people.at_all()
    open_at = terminal_people.open_at(rows)
    to_camera = without_face.count_at(row for row in rows if row.is_active)

    def rank(terminal: Terminal) -> tuple[bool, bool, bool, int, bool]:
        kind = terminal_problems.kind_of(terminal, lost.get(terminal.id))
        place = (*terminal_problems.KINDS, "").index(kind)
        is_quiet = terminal.id not in alarmed
        return terminal.retired_at is not None, not terminal.is_active, is_quiet, place, terminal.id not in somebody

    alarmed, somebody = {alarm.terminal_id for alarm in _alarms()}, {*open_at, *to_camera}
    refused = capacity.full_terminals()
    known = {
        "lost": lost,
        "open_at": open_at,
        "to_camera": to_camera,
        "last_day": reachability.last_day(rows),
        "alarmed": alarmed,
        "full": {row.id for row in rows if row.id in refused or 0 in capacity.remaining(row)},
        # As on the page of a terminal, viewers do not see what a comparison told.
        "differing": _differing() if current_operator.may(OPERATOR) else set(),
    }
    return render_template("terminals/list.html", terminals=sorted(rows, key=rank), **known)


@bp.get("/<int:terminal_id>")
@allow(VIEWER)
def show(terminal_id: int) -> ResponseReturnValue:
    """One terminal, with what its last check found."""
    return page(terminal_id)


@bp.get("/<int:terminal_id>/state")
@allow(VIEWER, is_activity=False)
def state(terminal_id: int) -> ResponseReturnValue:
    """The part of the page that polls while the terminal is checked."""
    return with_bar(page(terminal_id, fragment=True))


@bp.get("/file-warning")
@allow(OPERATOR)
def file_warning() -> ResponseReturnValue:
    """The limits of the terminal selected in the employee form: photo files, and the length of a name."""
    terminal = registry.find_terminal(row_id(request.args.get("terminal_id")) or 0)
    return render_template("employees/_terminal_limits.html", terminal=terminal)


@bp.post("/<int:terminal_id>/everybody")
@allow(OPERATOR)
def enrol_everybody(terminal_id: int) -> ResponseReturnValue:
    """Show what enrolling everybody on this terminal would do; nothing is done yet."""
    terminal = terminal_or_404(terminal_id)
    try:
        job = bring_people.draft_from(terminal.id)
    except ServiceError as error:
        flash(error_sentence(error, t=terminal.name), "danger")
        return redirect(url_for(".show", terminal_id=terminal_id), 303)
    return redirect(url_for("jobs.show", job_id=job.id), 303)


@bp.get("/<int:terminal_id>/queue")
@allow(VIEWER)
def queue(terminal_id: int) -> ResponseReturnValue:
    """What a terminal does now, and what waits for it, page by page."""
    return _queue("terminals/queue.html", terminal_id, ROWS)


@bp.get("/<int:terminal_id>/queue/state")
@allow(VIEWER, is_activity=False)
def queue_state(terminal_id: int) -> ResponseReturnValue:
    """The part that polls: of the queue's page, or with `?first=1` of the terminal's page."""
    first = "first" in request.args
    return with_bar(_queue("terminals/_queue.html", terminal_id, FIRST_ROWS if first else ROWS, first=first))


def _queue(template: str, terminal_id: int, limit: int, **known: object) -> str:
    terminal, after = terminal_or_404(terminal_id), request.args.get("after", "")
    queue = terminal_queue.queue_of(terminal, limit, terminal_queue.place_of(after))
    minutes = connection.locked_minutes(terminal)
    return render_template(template, terminal=terminal, queue=queue, after=after, locked_minutes=minutes, **known)


def page(terminal_id: int, *, fragment: bool = False, door_form: DoorPageForm | None = None) -> str:
    """Return the page of a terminal, or the part of it that polls. :param door_form: as it was typed."""
    terminal = terminal_or_404(terminal_id)
    lost, people = lost_people.at(terminal.id), terminal_people.worst_first(terminal, MAX_FACES)
    known: dict[str, Any] = {
        "locked_minutes": connection.locked_minutes(terminal),
        "checking": checks.is_running(terminal),
        "asks_no_password": connection.asks_no_password(terminal),
        "clocks": clocks_of(terminal, marks_utc=coverage.marks_utc(terminal.id)),
        "clock_is_wrong": clock.is_wrong(terminal),
        "lost": lost,
        "alarms": [alarm for alarm in _alarms() if alarm.terminal_id == terminal.id],
        "is_full": 0 in capacity.remaining(terminal) or any(row.refusal_code in capacity.CODES for row in people),
        "stretches": reachability.last_day([terminal])[terminal.id],
        "people": [status_of(row) for row in people],
        "people_count": search.count_up_to(EmployeeFilter(terminal=terminal.id)),
    }
    if not fragment:
        known["door_form"] = _door_form(terminal, door_form)
        known |= {"queue": terminal_queue.queue_of(terminal, FIRST_ROWS), "first": True, **_privacy(terminal.id)}
    if switch.is_on():
        since = passage_plots.hours_begin()
        known |= {"entries": passages.entries_since(terminal.id, since), "last_faces": passages.last_faces(terminal.id)}
        known["unknown"] = coverage.why_unknown(terminal, since)
        known["halted"] = next((day for other, day in coverage.halted() if other.id == terminal.id), None)
    if not terminal.retired_at:
        known |= {"known_as": same_device.known_as(terminal), "absent": send_preview.count_absent(terminal)}
        known |= {"to_camera": without_face.count(terminal), "by_itself": without_face.count_by_itself(terminal)}
    # A comparison tells names of people whom only the terminal knows.
    if current_operator.may(OPERATOR):
        latest, finished = queries.latest(terminal.id), queries.finished(terminal.id)
        known["compared"] = Compared(
            finished=finished,
            counts=queries.counts(finished) if finished else {},
            may_be_outdated=finished is not None and plan_choices.may_be_outdated(finished),
            is_reading=latest is not None and latest.state == READING,
            drift=people_changes.changes_at(terminal.id),
        )
    known["action"] = _action(terminal, lost, known)
    return render_template("terminals/show.html", terminal=terminal, fragment=fragment, **known)


def _door_form(terminal: Terminal, typed: DoorPageForm | None) -> DoorPageForm | None:
    """Return the form that opens the door; None where it may not, or cannot, be opened from here."""
    if not door.may_open(current_operator.may) or not terminal.is_active or terminal.refused_since:
        return None
    form = typed or DoorPageForm(formdata=None)
    form.press.data = secrets.token_urlsafe(16)
    return form


def _privacy(terminal_id: int) -> dict[str, Any]:
    """Return where a terminal sends events and what it keeps and shows; `tells`: why it does not tell by itself, and
    `told_at` when it did last.
    """
    row = terminal_privacy.of(terminal_id)
    return {
        "privacy": row,
        "destinations": terminal_privacy.destinations(row) if row else [],
        "facts": terminal_privacy.facts(row) if row else [],
        "tells": terminal_privacy.why_not_told(row) if row else "",
        "told_at": pushes.told_at(terminal_id),
    }


def _action(terminal: Terminal, lost: LostPeople | None, known: Mapping[str, Any]) -> str:
    """Return what the state of a terminal asks for, if the operator may do that; an empty text for nothing."""
    if not terminal.is_active:
        return ""
    action = "alarm" if known["alarms"] else ACTIONS.get(terminal_problems.kind_of(terminal, lost), "")
    if not action or (lost and lost.need_photo and action == "check"):
        action = _action_of_people(known)
    if action in OF_ADMIN:
        return action if current_operator.may(ADMIN) else ""
    return action if action not in OF_OPERATOR or current_operator.may(OPERATOR) else ""


def _action_of_people(known: Mapping[str, Any]) -> str:
    """Return the step that is missing for the people of a terminal that works, the one that must come first."""
    compared: Compared | None = known.get("compared")
    steps = (
        (known["is_full"], "people"),
        (compared and compared.drift, "compare"),
        (known["to_camera"], "round"),
        (compared and compared.differences, "differences"),
        (not known["people_count"] and known["absent"], "everybody"),
    )
    return next((action for is_so, action in steps if is_so), "")


def _differing() -> set[int]:
    """Return the ids of the terminals that have other people than here, as a comparison or a check since then told."""
    return queries.differing_terminals() | {terminal.id for terminal, _count in people_changes.terminals_with_changes()}


def _alarms() -> list[JournalAlarm]:
    """Return the alarms that nobody has seen yet, of all terminals."""
    return [alarm for alarm in attention_counts.get().journal if journal.is_danger(alarm)]


def terminal_or_404(terminal_id: int) -> Terminal:
    """Return a terminal.

    :raises werkzeug.exceptions.NotFound: when there is none.
    """
    return registry.find_terminal(terminal_id) or abort(404)
