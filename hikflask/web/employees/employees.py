"""Employees: list, form, page of one, leaving."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from hikflask.background import tasks
from hikflask.forms.employees import EmployeePageForm
from hikflask.forms.fields import row_id
from hikflask.http.permissions import OPERATOR, VIEWER, allow
from hikflask.invisible_characters import isolated
from hikflask.models import Employee, Terminal
from hikflask.models.capture import TAKEN
from hikflask.models.enrolment import PRESENT
from hikflask.models.terminal import BY_PICTURE
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import CaptureRunning, ServiceError
from hikflask.services.employees import lifecycle, search
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.enrolments import queries
from hikflask.services.privacy import consents
from hikflask.services.terminals import registry
from hikflask.web.employees import capture_panel, enrolment_lines, form_page
from hikflask.web.employees.capture_panel import Panel
from hikflask.web.error_pages import said
from hikflask.web.security import resubmission
from hikflask.web.security.current_operator import present_operator
from hikflask.web.support import htmx
from hikflask.web.support.pagination import listed
from hikflask.web.template_context import with_link

bp = Blueprint("employees", __name__)

ADDRESS = "/employees/<int:employee_id>"


@bp.get("/")
@allow(VIEWER)
def start() -> ResponseReturnValue:
    """Go to the list."""
    return redirect(url_for(".index"))


@bp.get("/employees/")
@allow(VIEWER)
def index() -> ResponseReturnValue:
    """All employees, or those that match what is typed into the search."""
    q = request.args.get("q", "").strip()
    found = listed(lambda limit, offset: search.search(q, limit, offset))
    template = "employees/_rows.html" if htmx.wants_fragment() else "employees/list.html"
    return render_template(
        template,
        rows=[(employee, enrolment_lines.of(employee)) for employee in found.rows],
        q=q,
        found=found,
        terminals=registry.all_active(),
    )


@bp.get("/employees/new")
@allow(OPERATOR)
def new() -> ResponseReturnValue:
    """An empty form, or the form and panel of a capture."""
    shown = capture_panel.of(row_id(request.args.get("capture")))
    return form_page.show(form_page.filled(shown.draft, shown), shown)


@bp.post("/employees/new")
@allow(OPERATOR)
def new_in_language() -> ResponseReturnValue:
    """The form as it is typed, in another language."""
    return form_page.in_language(form_page.as_typed(), request.form.get("lang"))


@bp.post("/employees/")
@allow(OPERATOR)
def create() -> ResponseReturnValue:
    """Add an employee, and begin to bring the face to the terminal."""
    return _save(None)


@bp.get(f"{ADDRESS}/edit")
@allow(OPERATOR)
def edit(employee_id: int) -> ResponseReturnValue:
    """The form of an employee, as saved or as typed when the capture began."""
    employee = _employee(employee_id)
    shown = capture_panel.of(row_id(request.args.get("capture")))
    saved = Draft(employee.number, employee.name, employee.department)
    # What was typed is forgotten in time; the form then shows what is saved.
    typed = saved if shown.draft == Draft() else shown.draft
    return form_page.show(form_page.filled(typed, shown, employee_id), shown)


@bp.post(f"{ADDRESS}/edit")
@allow(OPERATOR)
def edit_in_language(employee_id: int) -> ResponseReturnValue:
    """The form of an employee as it is typed, in another language."""
    form = form_page.as_typed()
    form.employee_id.data = _employee(employee_id).id
    return form_page.in_language(form, request.form.get("lang"))


@bp.post(ADDRESS)
@allow(OPERATOR)
def update(employee_id: int) -> ResponseReturnValue:
    """Change an employee, and begin to bring what changed to the terminals."""
    return _save(_employee(employee_id).id)


@bp.get(ADDRESS)
@allow(VIEWER)
def show(employee_id: int) -> ResponseReturnValue:
    """One employee, with what each terminal confirmed."""
    return _page(_employee(employee_id))


@bp.post(f"{ADDRESS}/terminals")
@allow(OPERATOR)
def send(employee_id: int) -> ResponseReturnValue:
    """Put an employee on one more terminal, with the photo that is here."""
    _employee(employee_id)
    try:
        sent = send_to_terminal(employee_id, row_id(request.form.get("terminal_id")) or 0)
    except ServiceError as error:
        flash(said(error), "danger")
    else:
        tasks.enqueue_due(sent.due)
    return redirect(url_for(".show", employee_id=employee_id), 303)


@resubmission.restores("employees.send")
def chosen_again(fields: MultiDict[str, str], employee_id: int) -> ResponseReturnValue:
    """Answer the page with the terminal that was chosen."""
    return _page(_employee(employee_id), row_id(fields.get("terminal_id")))


@bp.post(f"{ADDRESS}/active")
@allow(OPERATOR)
def set_active(employee_id: int) -> ResponseReturnValue:
    """Take an employee off all terminals, or let one back in."""
    _employee(employee_id)
    try:
        changed = lifecycle.set_active(employee_id, request.form.get("active") == "1")
    except ServiceError as error:
        flash(said(error), "danger")
    else:
        tasks.enqueue_due(changed.due)
    return redirect(url_for(".show", employee_id=employee_id), 303)


@bp.get(f"{ADDRESS}/delete")
@allow(OPERATOR)
def ask_delete(employee_id: int) -> ResponseReturnValue:
    """Ask before an employee is deleted."""
    return render_template("employees/delete.html", employee=_employee(employee_id))


@bp.post(f"{ADDRESS}/delete")
@allow(OPERATOR)
def delete(employee_id: int) -> ResponseReturnValue:
    """Delete an employee; removals from terminals go on and stay in sight until they are confirmed."""
    name = _employee(employee_id).name
    deleted = delete_employee(employee_id)
    tasks.enqueue_due(deleted.due)
    flash(_("%(name)s is deleted.", name=isolated(name)))
    if deleted.due:
        text = _("The removal from the terminals goes on; until it is confirmed, it stands here:")
        flash(with_link(text, url_for("removals.index"), _("May still open doors")), "warning")
    return redirect(url_for(".index"), 303)


def _page(employee: Employee, chosen: int | None = None) -> str:
    lines, consent = enrolment_lines.of(employee), consents.of(employee.id)
    known = {"lines": lines, "further": _further(employee), "chosen": chosen, "consent": consent}
    return render_template("employees/show.html", employee=employee, **known)


def _save(employee_id: int | None) -> ResponseReturnValue:
    form = form_page.as_typed()
    form.employee_id.data = employee_id
    shown = capture_panel.of(form.own_capture)
    if not form.validate():
        return form_page.invalid(form, shown)
    if shown.running:
        return form_page.refused(form, CaptureRunning())
    if shown.photo and not form.capture_id.data:
        return form_page.show(form, shown, 422, _("The photo came just now. Look at it, then save."))
    try:
        saved = save_employee(form_page.typed_draft(form), _face(form, shown), employee_id=employee_id)
    except ServiceError as error:
        return form_page.refused(form, error)
    tasks.enqueue_due(saved.due)
    if form.own_capture and not shown.photo and not form.photo.data:
        flash(_without_face(saved.row), "warning")
    return redirect(url_for(".show", employee_id=saved.row.id), 303)


def _without_face(employee: Employee) -> str:
    """What is said when a capture was begun and gave no picture, so that nobody takes the save for one with a face."""
    if employee.picture:
        return str(_("Saved, but the photo is still the earlier one: the capture gave no picture."))
    return str(_("Saved without a face: the capture gave no picture. Capture the face, else no terminal knows it."))


def _face(form: EmployeePageForm, shown: Panel) -> FaceSource:
    """Return the photo to save: the face that the operator saw in the panel goes before a file.

    A capture that the page only waited for is not in `capture_id`, so one that ends in this moment is not saved unseen.
    """
    file, seen = form.photo.data, form.capture_id.data
    if shown.state == TAKEN or not file:
        if file:
            flash(_("The captured face was saved; the file was not used."), "warning")
        return FaceSource(seen, present_operator(), form.take_over.data == "1")
    return FaceSource(capture_id=seen, upload=file.stream, terminal_id=_terminal_for_file(form))


def _terminal_for_file(form: EmployeePageForm) -> int | None:
    """Return the terminal that was selected, else the only one."""
    active = registry.all_active()
    return form.terminal_id.data or (active[0].id if len(active) == 1 else None)


def _further(employee: Employee) -> list[Terminal]:
    """Return the terminals that could have this employee's photo and are not asked to yet."""
    if not employee.is_active or employee.picture is None:
        return []
    on = {enrolment.terminal_id for enrolment in queries.of_number(employee.number) if enrolment.desired == PRESENT}
    return [one for one in registry.all_active() if one.face_mode == BY_PICTURE and one.id not in on]


def _employee(employee_id: int) -> Employee:
    return search.get(employee_id) or abort(404)
