"""The buttons of the capture panel. Each one submits the whole employee form, so that nothing typed is lost."""

from http import HTTPStatus

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from hikflask.background import tasks
from hikflask.extensions import task_queue
from hikflask.forms.employees import EmployeePageForm
from hikflask.forms.fields import row_id
from hikflask.http.permissions import OPERATOR, allow
from hikflask.models import Capture
from hikflask.models.capture import RUNNING
from hikflask.services.captures import drafts, queries
from hikflask.services.captures.lifecycle import cancel_capture, start_capture
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees.duplicates import refuse_taken
from hikflask.services.terminals import registry
from hikflask.web.employees import capture_panel, form_page
from hikflask.web.employees.capture_panel import Panel
from hikflask.web.employees.employees import employee_or_404
from hikflask.web.security.current_operator import operator_name
from hikflask.web.support import htmx

bp = Blueprint("captures", __name__, url_prefix="/captures")


@bp.post("")
@allow(OPERATOR)
def start() -> ResponseReturnValue:
    """Start a capture with the form as it is typed; of its fields only a number that no save would take is refused."""
    form = EmployeePageForm()
    own = form.own_capture
    if form.hikvision_id.data and not form.hikvision_id.validate(form):
        return _wrong_number(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        refuse_taken(form.hikvision_id.data or "", form.employee_id.data)
    except ServiceError as error:
        form_page.add_errors(form, error)
        return _wrong_number(form, error.meaning.page_status)
    try:
        capture = _start(form, own)
    except ServiceError as error:
        return _answer(form, capture_panel.for_form(form, error), error.meaning.page_status)
    if capture.id != own:
        task_queue.enqueue(tasks.run_capture, capture.id)
    # The picture of the capture replaces the photo from a file that the page showed.
    behind = form.photo_draft.data or form.draft_behind.data
    return _answer(form, capture_panel.with_file(capture_panel.of(capture.id), None, behind))


@bp.post("/of/<int:employee_id>")
@allow(OPERATOR)
def start_for(employee_id: int) -> ResponseReturnValue:
    """Start a capture for an employee at a terminal by one click, and show it in the employee's form."""
    employee = employee_or_404(employee_id)
    form = form_page.in_round(form_page.as_saved(employee_id), request.form)
    form.terminal_id.data = row_id(request.form.get("terminal_id"))
    try:
        capture = _start(form, None)
    except ServiceError as error:
        if already := _running_for(employee.number, error):
            return redirect(form_page.address(form, capture_panel.of(already)), 303)
        return form_page.show(form, capture_panel.for_form(form, error), error.meaning.page_status)
    task_queue.enqueue(tasks.run_capture, capture.id)
    return redirect(form_page.address(form, capture_panel.of(capture.id)), 303)


@bp.get("/<int:capture_id>")
@allow(OPERATOR, is_activity=False)
def show(capture_id: int) -> ResponseReturnValue:
    """Answer the progress of a running capture, which the panel polls, and the whole panel when it has ended."""
    shown = capture_panel.with_file(capture_panel.of(capture_id), None, request.args.get("draft_behind"))
    if shown.running:
        # Asked once a second by everybody who captures: without the form.
        return render_template("employees/_capture_progress.html", panel=shown, live=request.full_path.rstrip("?"))
    form = form_page.filled(shown.draft, shown, row_id(request.args.get("employee")))
    form = form_page.in_round(form, request.args)
    status = 404 if shown.view is None else 200
    return htmx.retargeted(form_page.fragment(form, shown), "#capture", status)


@bp.post("/<int:capture_id>/cancel")
@allow(OPERATOR)
def cancel(capture_id: int) -> ResponseReturnValue:
    """Cancel a capture, also on the terminal's screen: the form's own one, or one that was in its way."""
    capture = queries.get(capture_id) or abort(404)
    if cancel_capture(capture.id):
        task_queue.enqueue(tasks.send_cancel, capture.id)
    form = EmployeePageForm()
    return _answer(form, capture_panel.for_form(form))


@bp.post("/dismiss")
@allow(OPERATOR)
def dismiss() -> ResponseReturnValue:
    """Show the panel without the refusal, as it was before."""
    form = EmployeePageForm()
    shown = capture_panel.for_form(form)
    return _answer(form, shown) if htmx.wants_fragment() else form_page.show(form, shown)


@bp.post("/draft")
@allow(OPERATOR)
def keep_draft() -> ResponseReturnValue:
    """Store with the capture what is typed while it runs, so that a reload shows it."""
    form = EmployeePageForm()
    if form.own_capture:
        drafts.keep(form.own_capture, form_page.typed_draft(form), operator_name())
    return "", 204


def _start(form: EmployeePageForm, own: int | None) -> Capture:
    terminal_id = form.terminal_id.data
    if not terminal_id:
        only = registry.only_active()
        if only is None:
            raise ServiceError("terminal_unknown")
        terminal_id = only.id
    return start_capture(
        terminal_id,
        form_page.typed_draft(form),
        operator_name(),
        taken_over=row_id(form.take_over.data),
        own=own,
        employee_id=form.employee_id.data,
    )


def _running_for(number: str, error: ServiceError) -> int | None:
    """Return the id of the operator's own capture for this number that runs there already, as after a double click."""
    capture = queries.get(error.params.get("capture_id") or 0)
    if capture is None or capture.state not in RUNNING or capture.requested_by != operator_name():
        return None
    return capture.id if capture.draft_number == number else None


def _wrong_number(form: EmployeePageForm, status: int) -> Response:
    """Answer the form with what is wrong with its number, beside it; no face is captured."""
    shown = capture_panel.for_form(form)
    if htmx.wants_fragment():
        return make_response(form_page.fragment(form, shown, with_number=True), status)
    return form_page.show(form, shown, status)


def _answer(form: EmployeePageForm, shown: Panel, status: int = 200) -> Response:
    """Answer the panel to htmx; without htmx, redirect to the capture's page, or answer the page with the refusal."""
    if htmx.wants_fragment():
        address = form_page.address(form, shown)
        return htmx.replaced_address(form_page.fragment(form, shown), address, status)
    if shown.refusal or shown.view is None:
        return form_page.show(form, shown, status)
    return make_response(redirect(form_page.address(form, shown), 303))
