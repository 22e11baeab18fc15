"""The capture panel of the employee page: every button of it submits the employee form, so nothing typed is lost."""

from flask import Blueprint, Response, abort, make_response, redirect, render_template
from flask.typing import ResponseReturnValue

from hikflask.background import tasks
from hikflask.extensions import task_queue
from hikflask.forms.employees import EmployeePageForm
from hikflask.http.permissions import OPERATOR, allow
from hikflask.models import Capture
from hikflask.services.captures import drafts, progress
from hikflask.services.captures.cancel import cancel_capture
from hikflask.services.captures.start import start_capture
from hikflask.services.core.errors import ServiceError, TerminalUnknown
from hikflask.services.terminals import registry
from hikflask.web.employees import capture_panel, form_page
from hikflask.web.employees.capture_panel import Panel
from hikflask.web.error_pages import status_of
from hikflask.web.security.current_operator import present_operator
from hikflask.web.support import htmx

bp = Blueprint("captures", __name__, url_prefix="/captures")

UNPROCESSABLE = 422


@bp.post("")
@allow(OPERATOR)
def start() -> ResponseReturnValue:
    """Begin a capture with the form as it is typed; of it, only a number that none can be is refused yet."""
    form = form_page.as_typed()
    own = form.own_capture
    if form.hikvision_id.data and not form.hikvision_id.validate(form):
        return _answer(form, capture_panel.refused(own, " ".join(map(str, form.hikvision_id.errors))), UNPROCESSABLE)
    try:
        capture = _start(form, own)
    except ServiceError as error:
        return _answer(form, capture_panel.of(own, error), status_of(error))
    if capture.id != own:
        task_queue.enqueue(tasks.run_capture, capture.id)
    return _answer(form, capture_panel.of(capture.id))


@bp.get("/<int:capture_id>")
@allow(OPERATOR, counts=False)
def show(capture_id: int) -> ResponseReturnValue:
    """Answer the part of the panel that changes while it runs, and the whole panel when it has ended."""
    shown = capture_panel.of(capture_id)
    if shown.running:
        return render_template("employees/_capture_live.html", panel=shown)
    status = 404 if shown.view is None else 200
    return htmx.retargeted(form_page.fragment(form_page.filled(shown.draft, shown), shown), "#capture", status)


@bp.post("/<int:capture_id>/cancel")
@allow(OPERATOR)
def cancel(capture_id: int) -> ResponseReturnValue:
    """Stop a capture, and let the terminal close its window."""
    capture = progress.get(capture_id) or abort(404)
    if cancel_capture(capture.id):
        task_queue.enqueue(tasks.send_cancel, capture.id)
    return _answer(form_page.as_typed(), capture_panel.of(capture.id))


@bp.post("/dismiss")
@allow(OPERATOR)
def dismiss() -> ResponseReturnValue:
    """Show the panel without the refusal again, as it was before."""
    form = form_page.as_typed()
    shown = capture_panel.of(form.own_capture)
    return _answer(form, shown) if htmx.wants_fragment() else form_page.show(form, shown)


@bp.post("/draft")
@allow(OPERATOR)
def keep_draft() -> ResponseReturnValue:
    """Keep what is typed after the button was pressed with the capture, so that a reload shows it."""
    form = form_page.as_typed()
    if form.own_capture:
        drafts.keep(form.own_capture, form_page.typed_draft(form), present_operator())
    return "", 204


def _start(form: EmployeePageForm, own: int | None) -> Capture:
    terminal_id = form.terminal_id.data or _only_terminal()
    return start_capture(
        terminal_id,
        form_page.typed_draft(form),
        present_operator(),
        take_over=form.take_over.data == "1",
        own=own,
        employee_id=form.employee_id.data,
    )


def _only_terminal() -> int:
    active = registry.all_active()
    if len(active) != 1:
        raise TerminalUnknown
    return active[0].id


def _answer(form: EmployeePageForm, shown: Panel, status: int = 200) -> Response:
    """Answer the panel to htmx; without it, go to the page of the capture, or show what was refused at once."""
    if htmx.wants_fragment():
        address = form_page.address(form, shown.page_id)
        return htmx.replaced_address(form_page.fragment(form, shown), address, status)
    if shown.refusal or shown.view is None:
        return form_page.show(form, shown, status)
    return make_response(redirect(form_page.address(form, shown.page_id), 303))
