"""Adding and changing an employee: the form's addresses, and saving it."""

from dataclasses import replace
from http import HTTPStatus

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hikflask.background import tasks
from hikflask.forms.employees import EmployeePageForm
from hikflask.forms.fields import row_id
from hikflask.forms.versions import ChangedMeanwhile
from hikflask.http.permissions import OPERATOR, allow
from hikflask.models import Employee
from hikflask.models.capture import CAPTURED, SUPERSEDED
from hikflask.models.terminal import NO_CAPTURE
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import ServiceError
from hikflask.services.core.shown import digest
from hikflask.services.employees import search
from hikflask.services.employees.duplicates import find_duplicates
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.groups import membership
from hikflask.services.terminals import registry
from hikflask.text_rules import all_isolated, isolated
from hikflask.web.employees import capture_panel, form_page, photo_drafts, rounds
from hikflask.web.employees.capture_panel import Panel
from hikflask.web.employees.employees import ADDRESS, bp, employee_or_404, remember_added
from hikflask.web.security.current_operator import operator_name
from hikflask.web.support.notices import flash_spelling


@bp.get("/employees/new")
@allow(OPERATOR)
def new() -> ResponseReturnValue:
    """An empty form, the form and panel of a capture, or the form for the next employee in a row."""
    shown = _asked_for()
    if shown.view is None:
        return form_page.show(form_page.for_next(request.args.get("terminal"), request.args.get("department")), shown)
    return form_page.show(form_page.filled(shown.draft, shown), shown)


@bp.post("/employees/new")
@allow(OPERATOR)
def new_in_language() -> ResponseReturnValue:
    """The form as it is typed, in another language."""
    return form_page.in_language(EmployeePageForm(), request.form.get("lang"))


@bp.post("/employees/")
@allow(OPERATOR)
def create() -> ResponseReturnValue:
    """Add an employee, and let the worker enrol the face."""
    return _save(None)


@bp.post("/employees/known")
@allow(OPERATOR)
def known() -> ResponseReturnValue:
    """Who else has the typed ID or name, which the form asks while it is typed; a POST keeps names out of the logs."""
    form = EmployeePageForm()
    duplicates = find_duplicates(form.hikvision_id.data or "", form.full_name.data or "", form.employee_id.data)
    return render_template("employees/_known.html", known=duplicates)


@bp.get(f"{ADDRESS}/edit")
@allow(OPERATOR)
def edit(employee_id: int) -> ResponseReturnValue:
    """The form of an employee, as saved or as typed when the capture began."""
    saved = form_page.typed_draft(form_page.as_saved(employee_or_404(employee_id).id))
    shown = _asked_for()
    # A draft is deleted after a while; the form then shows what is saved.
    typed = saved if shown.draft == Draft() else replace(shown.draft, version=shown.draft.version or saved.version)
    return form_page.show(form_page.in_round(form_page.filled(typed, shown, employee_id), request.args), shown)


@bp.post(f"{ADDRESS}/edit")
@allow(OPERATOR)
def edit_in_language(employee_id: int) -> ResponseReturnValue:
    """The form of an employee as it is typed, in another language."""
    form = EmployeePageForm()
    form.employee_id.data = employee_or_404(employee_id).id
    return form_page.in_language(form, request.form.get("lang"))


@bp.post(ADDRESS)
@allow(OPERATOR)
def update(employee_id: int) -> ResponseReturnValue:
    """Change an employee, and let the worker send the changes to the terminals."""
    return _save(employee_or_404(employee_id).id)


def _asked_for() -> Panel:
    """Return the panel with the capture and the photo that are in the address."""
    shown = capture_panel.of(row_id(request.args.get("capture")))
    return capture_panel.with_file(shown, request.args.get("photo_draft"), request.args.get("draft_behind"))


def _save(employee_id: int | None) -> ResponseReturnValue:
    form = EmployeePageForm()
    form.employee_id.data = employee_id
    try:
        photo_drafts.check_unseen(form)
        shown = capture_panel.for_form(form)
        if unfinished := _unfinished(form, shown):
            return unfinished
        saved = save_employee(
            form_page.typed_draft(form),
            _face(form, shown),
            employee_id=employee_id,
            fields=form_page.changed_fields(form),
            require=lambda: form.merge_saved(form_page.as_saved(form.employee_id.data)),
        )
    except ChangedMeanwhile as error:
        return form_page.conflict(form, error.differences)
    except ServiceError as error:
        return form_page.refused(form, error)
    tasks.enqueue_due(saved.due)
    flash_spelling(form.department.data or "", saved.row.department)
    if form.own_capture and not shown.photo and not form.has_file:
        flash(_without_face(saved.row), "warning")
    terminal = registry.find_terminal(form.round_id.data) if form.round_id.data else None
    if terminal and (shown.photo or form.has_file):
        taken = form.capture_id.data if shown.photo else None
        return redirect(rounds.next_address(terminal, saved.row.id, form.round_of.data, taken), 303)
    if employee_id is None:
        remember_added(saved.row.id)
        if request.values.get("next") == "1":
            values = {"terminal": form.terminal_id.data, "department": saved.row.department or None}
            return redirect(url_for(".new", **values), 303)
    return redirect(url_for(".show", employee_id=saved.row.id), 303)


def _unfinished(form: EmployeePageForm, shown: Panel) -> Response | None:
    """Return the form with what keeps it from being saved, or with a question; None when it can be saved.

    :raises ChangedMeanwhile: when somebody else has changed the same fields since the page was made.
    """
    if not form.validate():
        return form_page.show(form, shown, HTTPStatus.UNPROCESSABLE_ENTITY)
    if problem := _asks_whose(form, shown):
        return form_page.show(form, shown, HTTPStatus.UNPROCESSABLE_ENTITY, problem, ask="whose")
    form_page.take_in_saved(form)
    if shown.running:
        return form_page.refused(form, ServiceError("capture_running"))
    problem, ask = _question(form, shown)
    return form_page.show(form, shown, HTTPStatus.UNPROCESSABLE_ENTITY, problem, ask) if problem else None


def _question(form: EmployeePageForm, shown: Panel) -> tuple[str, str]:
    """Return what an operator must see or decide before a save, and the form's field that answers it; "" for none."""
    is_seen = form.photo_draft.data if shown.file else form.capture_id.data or shown.photo is None
    if not is_seen:
        return _("The photo came just now. Look at it, then save."), ""
    if _lacks_face(form, shown):
        return _("There is no photo yet, so no terminal will know this employee. Save without a photo?"), "without_face"
    if shown.file and shown.file.is_poor and form.poor_photo.data == "0":
        return _("A terminal will probably refuse this photo. Save it all the same?"), "poor_photo"
    return _moves(form), "moved"


def _asks_whose(form: EmployeePageForm, shown: Panel) -> str:
    """Return the question whether a captured face is of the employee in the form, where the page showed another one.

    The page that asks shows the one in the form. With JavaScript every page does, and asks nothing.
    """
    before, now = (form.shown_name.data, form.shown_number.data), (form.full_name.data, form.hikvision_id.data)
    is_same = all(was in {"", None, typed} for was, typed in zip(before, now, strict=True))
    if is_same or shown.photo is None or shown.shows_file:
        return ""
    texts = {"before": ", ".join(filter(None, before)), "now": ", ".join(filter(None, now))}
    return str(_("The photo was taken for: %(before)s. Save it for: %(now)s?", **all_isolated(texts)))


def _moves(form: EmployeePageForm) -> str:
    """Return which terminals the employee would get and lose by groups; "" for none, or when the operator agreed.

    The form then has the digest of them, for the button that agrees.
    """
    employee = search.get(form.employee_id.data) if form.employee_id.data and form.moved.data else None
    if employee is None:
        return ""
    changes = membership.changes(employee, form.department.data or "", form.group_ids)
    moved = digest(*([terminal.id for terminal in some] for some in (changes.gets, changes.loses)))
    if form.moved.data == moved:
        return ""
    form.moved.data = moved
    gets, loses = (", ".join(isolated(row.name) for row in some) for some in (changes.gets, changes.loses))
    if gets and loses:
        return str(_("Will be enrolled on: %(gets)s; will be removed from: %(loses)s.", gets=gets, loses=loses))
    if gets:
        return str(_("Will be enrolled on: %(gets)s.", gets=gets))
    return str(_("Will be removed from: %(loses)s.", loses=loses)) if loses else ""


def _lacks_face(form: EmployeePageForm, shown: Panel) -> bool:
    """True when the page of a new employee has no face although a terminal can capture one, and has not asked yet."""
    if form.employee_id.data or form.without_face.data != "0" or shown.photo or form.has_file:
        return False
    if form.capture_id.data and (shown.deleted or shown.state == SUPERSEDED):
        return False  # The save is refused, and says why.
    return any(terminal.capture_mode != NO_CAPTURE for terminal in registry.list_active())


def _without_face(employee: Employee) -> str:
    """Return the warning after a save whose capture gave no picture, so that nobody believes the face was saved."""
    if employee.picture:
        return str(_("Saved, but the photo is still the earlier one: the capture gave no picture."))
    return str(
        _("Saved without a face: the capture gave no picture. Take a photo, else no terminal knows this employee.")
    )


def _face(form: EmployeePageForm, shown: Panel) -> FaceSource:
    """Return the photo to save: what the operator saw in the panel wins over a file that the page did not show.

    `capture_id` and `photo_draft` are only set by a page that showed the picture, so a picture that nobody has seen is
    not saved. A file is for the terminal that was selected, else the only one.
    """
    file, seen, photo_draft = form.photo.data, form.capture_id.data, form.photo_draft.data
    only = registry.only_active()
    terminal_id = form.terminal_id.data or (only.id if only else None)
    if photo_draft:
        return FaceSource(seen, operator_name(), photo_draft=photo_draft, terminal_id=terminal_id)
    if shown.state == CAPTURED or not file:
        if file:
            flash(_("The photo from the terminal was saved; the file was not used."), "warning")
        return FaceSource(seen, operator_name(), form.take_over.data == "1")
    return FaceSource(capture_id=seen, upload=file.stream, terminal_id=terminal_id)
