"""Terminals: the list, the page of one, and deletion."""

from typing import Any

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hikflask.forms.fields import row_id
from hikflask.http.permissions import ADMIN, OPERATOR, VIEWER, allow, confirmed
from hikflask.labels.terminals import clocks_of
from hikflask.messages import error_sentence
from hikflask.models import Terminal
from hikflask.services.attention.terminal_queue import queue_of
from hikflask.services.core import refusal_rules
from hikflask.services.core.errors import ServiceError
from hikflask.services.provisioning import everybody, same_device, send_preview, without_face
from hikflask.services.terminals import checks, connection, registry
from hikflask.text_rules import isolated
from hikflask.web.security import current_operator
from hikflask.web.security.current_operator import operator_name
from hikflask.web.support.htmx import with_bar
from hikflask.web.terminals import compared

# Of the queue on a terminal's page.
FIRST_ROWS = 5
bp = Blueprint("terminals", __name__, url_prefix="/terminals")


@bp.get("/")
@allow(VIEWER)
def index() -> ResponseReturnValue:
    """All terminals by name."""
    return render_template("terminals/list.html", terminals=registry.list_all())


@bp.get("/<int:terminal_id>")
@allow(VIEWER)
def show(terminal_id: int) -> ResponseReturnValue:
    """One terminal, with what its last check found."""
    return _shown(terminal_id)


@bp.get("/<int:terminal_id>/state")
@allow(VIEWER, is_activity=False)
def state(terminal_id: int) -> ResponseReturnValue:
    """The part of the page that polls while the terminal is checked."""
    return with_bar(_shown(terminal_id, fragment=True))


@bp.get("/file-warning")
@allow(OPERATOR)
def file_warning() -> ResponseReturnValue:
    """The limits of the terminal selected in the employee form: photo files, and the length of a name."""
    terminal = registry.find_terminal(row_id(request.args.get("terminal_id")) or 0)
    return render_template("terminals/_limits.html", terminal=terminal)


@bp.post("/<int:terminal_id>/everybody")
@allow(OPERATOR)
def enrol_everybody(terminal_id: int) -> ResponseReturnValue:
    """Show what enrolling everybody on this terminal would do; nothing is done yet."""
    terminal = terminal_or_404(terminal_id)
    try:
        job = everybody.draft(terminal.id)
    except ServiceError as error:
        flash(error_sentence(error, t=terminal.name), "danger")
        return redirect(url_for(".show", terminal_id=terminal_id), 303)
    return redirect(url_for("jobs.show", job_id=job.id), 303)


@bp.get("/<int:terminal_id>/delete")
@confirmed(ADMIN)
def ask_delete(terminal_id: int) -> ResponseReturnValue:
    """Ask before a terminal is deleted."""
    return render_template("terminals/delete.html", terminal=terminal_or_404(terminal_id))


@bp.post("/<int:terminal_id>/delete")
@confirmed(ADMIN)
def delete(terminal_id: int) -> ResponseReturnValue:
    """Delete a terminal on which nobody is enrolled."""
    terminal = terminal_or_404(terminal_id)
    name = terminal.name
    try:
        registry.delete(terminal_id, operator_name())
    except ServiceError as error:
        body = render_template("terminals/delete.html", terminal=terminal, problem=error_sentence(error))
        return make_response(body, refusal_rules.page_status(error.code))
    flash(_("%(name)s is deleted.", name=isolated(name)))
    return redirect(url_for(".index"), 303)


def _shown(terminal_id: int, *, fragment: bool = False) -> str:
    terminal = terminal_or_404(terminal_id)
    known: dict[str, Any] = {
        "locked_minutes": connection.locked_minutes(terminal),
        "checking": checks.is_running(terminal),
        "clocks": clocks_of(terminal),
    }
    if not fragment:
        known |= {"queue": queue_of(terminal, FIRST_ROWS), "first": True}
    if not terminal.retired_at:
        known |= {"known_as": same_device.known_as(terminal), "absent": send_preview.count_absent(terminal)}
        known |= {"to_camera": without_face.count(terminal), "by_itself": without_face.count_by_itself(terminal)}
    # A comparison tells names of people whom only the terminal knows.
    if current_operator.may(OPERATOR):
        known["compared"] = compared.of(terminal)
    return render_template("terminals/show.html", terminal=terminal, fragment=fragment, **known)


def terminal_or_404(terminal_id: int) -> Terminal:
    """Return a terminal.

    :raises werkzeug.exceptions.NotFound: when there is none.
    """
    return registry.find_terminal(terminal_id) or abort(404)
