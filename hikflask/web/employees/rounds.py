"""An enrolment session: the employees without a face come to the camera of one terminal, one after another.

The form, the capture and the save are those of the employee's page; a session only decides who is next.
"""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import abort

from hikflask.background import tasks
from hikflask.extensions import task_queue
from hikflask.forms.employees import EmployeePageForm
from hikflask.forms.fields import row_id
from hikflask.http.permissions import OPERATOR, allow
from hikflask.labels.enrolments import status_of
from hikflask.messages import error_sentence
from hikflask.models import Terminal
from hikflask.models.capture import CAPTURED, RUNNING
from hikflask.services.captures import holds, queries
from hikflask.services.captures.lifecycle import cancel_capture, discard_picture, start_capture
from hikflask.services.core.errors import ServiceError
from hikflask.services.provisioning import without_face
from hikflask.services.terminals import capacity, registry
from hikflask.web.employees import form_page
from hikflask.web.security.current_operator import operator_name
from hikflask.web.support import htmx

bp = Blueprint("rounds", __name__, url_prefix="/terminals")

ROWS = 50


@bp.get("/<int:terminal_id>/round")
@allow(OPERATOR)
def show(terminal_id: int) -> ResponseReturnValue:
    """Who must come to the camera of a terminal, by name."""
    terminal = _terminal_or_404(terminal_id)
    words, after = request.args.get("q", ""), row_id(request.args.get("after"))
    people = without_face.page(terminal, words, after, ROWS + 1)
    about: dict[str, Any] = {
        "terminal": terminal,
        "progress": without_face.progress(terminal, row_id(request.args.get("of"))),
        "lines": [status_of(enrolment) for enrolment in people[:ROWS]],
        "more": people[ROWS - 1].employee_id if len(people) > ROWS else None,
        "q": words,
        "after": after,
    }
    if not htmx.wants_fragment():
        return render_template("employees/round.html", **about)
    values = {"terminal_id": terminal_id, "q": words or None, "of": about["progress"].of}
    return htmx.replaced_address(render_template("employees/_round_people.html", **about), url_for(".show", **values))


@bp.post("/<int:terminal_id>/round/skip")
@allow(OPERATOR)
def skip(terminal_id: int) -> ResponseReturnValue:
    """Leave out an employee who does not come, and go on with the next one."""
    terminal, form = _terminal_or_404(terminal_id), EmployeePageForm()
    _end_capture(form.own_capture)
    return redirect(next_address(terminal, form.employee_id.data or 0, form.round_of.data), 303)


@bp.post("/<int:terminal_id>/round/pause")
@allow(OPERATOR)
def pause(terminal_id: int) -> ResponseReturnValue:
    """Interrupt the session; it is continued from its page at any time."""
    form = EmployeePageForm()
    _end_capture(form.own_capture)
    return redirect(url_for(".show", terminal_id=terminal_id, of=form.round_of.data), 303)


def next_address(terminal: Terminal, employee_id: int, of: int | None, saved_capture: int | None = None) -> str:
    """Start the capture of who is next by name, and return the address of the page that shows it.

    :param saved_capture: the capture that was saved just now; the next one begins when its face is bound.
    """
    person = without_face.next_after(terminal, employee_id)
    if person is None:
        left = without_face.count(terminal)
        flash(
            _("The photo round came to the end of the list. Without a face: %(n)s.", n=left),
            "warning" if left else "info",
        )
        return url_for("rounds.show", terminal_id=terminal.id, of=of)
    if capacity.is_full_of_faces(terminal):
        return url_for("rounds.show", terminal_id=terminal.id, of=of)
    values: dict[str, Any] = {"employee_id": person.id, "round": terminal.id, "of": of}
    try:
        draft = form_page.typed_draft(form_page.as_saved(person.id))
        capture = start_capture(terminal.id, draft, operator_name(), employee_id=person.id, behind=saved_capture)
    except ServiceError as error:
        flash(error_sentence(error), "warning")
        return url_for("employees.edit", **values)
    if not holds.begins_later(capture.id):
        task_queue.enqueue(tasks.run_capture, capture.id)
    return url_for("employees.edit", capture=capture.id, **values)


def _end_capture(capture_id: int | None) -> None:
    """End the operator's own capture; an unsaved picture does not hold the terminal any more."""
    capture = queries.get(capture_id) if capture_id else None
    if capture is None or capture.requested_by != operator_name():
        return
    if capture.state in RUNNING and cancel_capture(capture.id):
        task_queue.enqueue(tasks.send_cancel, capture.id)
    if capture.state == CAPTURED:
        discard_picture(capture.id)


def _terminal_or_404(terminal_id: int) -> Terminal:
    return registry.find_terminal(terminal_id) or abort(404)
