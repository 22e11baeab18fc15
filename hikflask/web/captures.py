"""The capture panel of the employee page: every button of it submits the employee form, so nothing typed is lost."""

from flask import Blueprint, Response, abort, make_response, redirect, render_template
from flask.typing import ResponseReturnValue

from hikflask import jobs
from hikflask.access import OPERATOR, allow
from hikflask.extensions import task_queue
from hikflask.forms.employees import EmployeePageForm
from hikflask.models import Capture
from hikflask.services import captures, drafts, terminals
from hikflask.services.errors import ServiceError, TerminalUnknown
from hikflask.web import employee_page, htmx, panel
from hikflask.web.errors import status_of
from hikflask.web.operator import present_operator
from hikflask.web.panel import Panel

bp = Blueprint("captures", __name__, url_prefix="/captures")

UNPROCESSABLE = 422


@bp.post("")
@allow(OPERATOR)
def start() -> ResponseReturnValue:
    """Begin a capture with the form as it is typed; of it, only a number that none can be is refused yet."""
    form = employee_page.as_typed()
    own = form.own_capture
    if form.hikvision_id.data and not form.hikvision_id.validate(form):
        return _answer(form, panel.refused(own, " ".join(map(str, form.hikvision_id.errors))), UNPROCESSABLE)
    try:
        capture = _start(form, own)
    except ServiceError as error:
        return _answer(form, panel.of(own, error), status_of(error))
    if capture.id != own:
        task_queue.enqueue(jobs.run_capture, capture.id)
    return _answer(form, panel.of(capture.id))


@bp.get("/<int:capture_id>")
@allow(OPERATOR, counts=False)
def show(capture_id: int) -> ResponseReturnValue:
    """Answer the part of the panel that changes while it runs, and the whole panel when it has ended."""
    shown = panel.of(capture_id)
    if shown.running:
        return render_template("captures/_live.html", panel=shown)
    status = 404 if shown.view is None else 200
    return htmx.retargeted(employee_page.fragment(employee_page.filled(shown.draft, shown), shown), "#capture", status)


@bp.post("/<int:capture_id>/cancel")
@allow(OPERATOR)
def cancel(capture_id: int) -> ResponseReturnValue:
    """Stop a capture, and let the terminal close its window."""
    capture = captures.get(capture_id) or abort(404)
    if captures.cancel(capture.id):
        task_queue.enqueue(jobs.send_cancel, capture.id)
    return _answer(employee_page.as_typed(), panel.of(capture.id))


@bp.post("/dismiss")
@allow(OPERATOR)
def dismiss() -> ResponseReturnValue:
    """Show the panel without the refusal again, as it was before."""
    form = employee_page.as_typed()
    shown = panel.of(form.own_capture)
    return _answer(form, shown) if htmx.wants_fragment() else employee_page.show(form, shown)


@bp.post("/draft")
@allow(OPERATOR)
def keep_draft() -> ResponseReturnValue:
    """Keep what is typed after the button was pressed with the capture, so that a reload shows it."""
    form = employee_page.as_typed()
    if form.own_capture:
        drafts.keep(form.own_capture, employee_page.typed_draft(form), present_operator())
    return "", 204


def _start(form: EmployeePageForm, own: int | None) -> Capture:
    terminal_id = form.terminal_id.data or _only_terminal()
    return captures.start(
        terminal_id,
        employee_page.typed_draft(form),
        present_operator(),
        take_over=form.take_over.data == "1",
        own=own,
        employee_id=form.employee_id.data,
    )


def _only_terminal() -> int:
    active = terminals.all_active()
    if len(active) != 1:
        raise TerminalUnknown
    return active[0].id


def _answer(form: EmployeePageForm, shown: Panel, status: int = 200) -> Response:
    """Answer the panel to htmx; without it, go to the page of the capture, or show what was refused at once."""
    if htmx.wants_fragment():
        address = employee_page.address(form, shown.page_id)
        return htmx.replaced_address(employee_page.fragment(form, shown), address, status)
    if shown.refusal or shown.view is None:
        return employee_page.show(form, shown, status)
    return make_response(redirect(employee_page.address(form, shown.page_id), 303))
