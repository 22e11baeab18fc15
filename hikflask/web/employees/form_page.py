"""The page with the employee form and the capture panel: filled in, as typed, or with what was refused."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import force_locale, get_locale
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from wtforms import Field

from hikflask import text_rules
from hikflask.employee_fields import FORM_NAMES
from hikflask.forms.employees import EmployeePageForm
from hikflask.forms.fields import row_id, stripped
from hikflask.forms.versions import Difference
from hikflask.labels.dates import local_day
from hikflask.messages import error_sentence, sentence
from hikflask.models import Capture
from hikflask.models.capture import CAPTURED, RUNNING
from hikflask.services.captures import drafts
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import NotFound, ServiceError
from hikflask.services.departments import registry as departments
from hikflask.services.employees import search
from hikflask.services.employees.duplicates import find_duplicates
from hikflask.services.enrolments import queries
from hikflask.services.groups import membership
from hikflask.services.groups import queries as groups
from hikflask.services.privacy import consents
from hikflask.services.provisioning import without_face
from hikflask.services.terminals import registry
from hikflask.text_rules import isolated
from hikflask.web.employees import capture_panel
from hikflask.web.employees.capture_panel import Panel
from hikflask.web.employees.employees import latest_added, list_before
from hikflask.web.security import headers, resubmission
from hikflask.web.security.current_operator import operator_name
from hikflask.web.support import notices
from hikflask.web.support.locale import LANGUAGES, remember_language
from hikflask.web.support.notices import flash_kept_fields, shown_value

# The name of a field in the form → in a draft.
OF_DRAFT = {field: name for name, field in FORM_NAMES.items()}


def filled(draft: Draft, shown: Panel, employee_id: int | None = None) -> EmployeePageForm:
    """Return the form filled in with these values."""
    ticked = membership.groups_of(employee_id) if draft.groups is None else draft.groups
    return EmployeePageForm(
        formdata=None,
        **{field: getattr(draft, name) for name, field in FORM_NAMES.items()},
        consent=draft.consent,
        groups=ticked,
        groups_shown="1",
        version=draft.version,
        employee_id=employee_id,
        terminal_id=shown.view.capture.terminal_id if shown.view else None,
    )


def as_saved(employee_id: int) -> EmployeePageForm:
    """Return the form of an employee as it is saved now, with its version.

    :raises employee_unknown: when the employee was deleted meanwhile.
    """
    employee = search.get(employee_id)
    if employee is None:
        raise NotFound("employee_unknown")
    return filled(drafts.of_saved(employee), Panel(), employee_id).as_saved()


def in_round(form: EmployeePageForm, values: Mapping[str, str]) -> EmployeePageForm:
    """Return the form within an enrolment session, if the request names one, with the terminal of the session.

    :param values: of the address or of a form: `round`, the terminal's id, and `of`, see EmployeePageForm.
    """
    form.round_id.data, form.round_of.data = row_id(values.get("round")), row_id(values.get("of"))
    form.terminal_id.data = form.terminal_id.data or form.round_id.data
    return form


def for_next(terminal: str | None, department: str | None) -> EmployeePageForm:
    """Return the form for the next employee, with the terminal and the department of the one before, where valid."""
    form = EmployeePageForm(formdata=None, terminal_id=row_id(terminal), department=stripped(department))
    if not form.department.validate(form):
        form.department.data, form.department.errors = "", []
    return form


@resubmission.restores(
    "employees.create",
    "employees.update",
    "employees.new_in_language",
    "employees.edit_in_language",
    "captures.start",
    "captures.cancel",
    "captures.dismiss",
    "photo_drafts.check",
    "photo_drafts.change",
    "photo_drafts.drop",
    "rounds.skip",
    "rounds.pause",
)
def typed_again(
    fields: MultiDict[str, str],
    employee_id: int | None = None,
    **values: Any,  # noqa: ARG001 - of the address of a capture or a photo
) -> Response:
    """Show the form again as it was typed; of a chosen file there is only the name."""
    _ask_for_file(fields)
    form = EmployeePageForm(formdata=fields)
    form.employee_id.data = employee_id or form.employee_id.data
    return show(form, capture_panel.for_form(form))


def in_language(form: EmployeePageForm, chosen: str | None) -> Response:
    """Answer the form as typed in the chosen language; with a capture, by storing the draft and a redirect."""
    with force_locale(chosen if chosen in LANGUAGES else str(get_locale())):
        _ask_for_file(request.form)
        shown = capture_panel.for_form(form)
        if shown.page_id and drafts.keep(shown.page_id, typed_draft(form), operator_name()):
            response = make_response(redirect(address(form, shown), 303))
        else:
            response = show(form, shown)
    remember_language(response, chosen)
    return response


def _ask_for_file(fields: MultiDict[str, str]) -> None:
    if fields.get("photo"):  # A form that is carried along has the name of a file, not the file.
        flash(_("Choose the photo file again, please: a browser does not keep it."), "warning")


def typed_draft(form: EmployeePageForm) -> Draft:
    """Return the typed fields as they are, right or wrong."""
    return Draft(
        **{name: form[field].data or "" for name, field in FORM_NAMES.items()},
        consent=bool(form.consent.data),
        groups=form.group_ids,
        version=form.version.data or "",
    )


def changed_fields(form: EmployeePageForm) -> set[str]:
    """Return the fields of a draft that are changed in a form, which are those that a save writes."""
    return {OF_DRAFT.get(name, name) for name in form.changed()}


def show(
    form: EmployeePageForm,
    shown: Panel,
    status: int = 200,
    problem: str = "",
    ask: str = "",
    details: Iterable[str] = (),
) -> Response:
    """Answer the whole page.

    :param problem: a sentence above the form.
    :param ask: the form's field that answers the sentence when it is a question; its button saves all the same.
    :param details: sentences below the one above the form.
    """
    about: dict[str, Any] = {"problem": problem, "ask": ask, "details": details}
    if not form.employee_id.data:
        about |= {"latest": latest_added(), "back": list_before()}
    body = render_template("employees/form.html", **about, **_context(form, shown))
    response = make_response(body, status)
    headers.allow_camera(response)
    return response


def fragment(form: EmployeePageForm, shown: Panel, *, with_file: bool = False, with_number: bool = False) -> str:
    """Return the capture panel and the buttons of the next step.

    :param with_file: whether to add the field for a file, emptied.
    :param with_number: whether to add the field for the number, with what is wrong there, and whose it is.
    """
    context = _context(form, shown)
    elsewhere = ["_next_step.html"]
    elsewhere += ["_by_file.html"] * with_file
    elsewhere += ["_number.html", "_known.html"] * with_number
    panel = render_template("employees/_capture_panel.html", **context)
    return panel + "".join(render_template(f"employees/{name}", elsewhere=True, **context) for name in elsewhere)


def _context(form: EmployeePageForm, shown: Panel) -> dict[str, Any]:
    employee_id = form.employee_id.data
    employee = search.get(employee_id) if employee_id else None
    active = registry.list_active()
    form.offer(active, registry.preferred(active, employee.number if employee else "", operator_name()))
    terminal_id = form.terminal_id.data
    session_terminal = registry.find_terminal(form.round_id.data) if form.round_id.data else None
    if shown.file_gone and not form.photo.errors:
        form.photo.errors = [sentence("photo_draft_gone")]
    return {
        "form": form,
        "panel": shown,
        "employee": employee,
        "departments": departments.names,
        "groups": groups.names(),
        "terminal": registry.find_terminal(terminal_id) if terminal_id else None,
        "address": address(form, shown),
        "known": find_duplicates(form.hikvision_id.data or "", form.full_name.data or "", employee_id),
        "kept_by": queries.keeping_number(employee.number) if employee and not shown.photo else None,
        "in_my_way": _in_my_way(shown),
        "consent_missing": consents.is_missing(form.hikvision_id.data or "", employee_id),
        "consent_required": consents.is_required(),
        "round": session_terminal,
        "progress": without_face.progress(session_terminal, form.round_of.data) if session_terminal else None,
    }


def refused(form: EmployeePageForm, error: ServiceError) -> Response:
    """Answer the page as typed, with the sentence of the refusal beside the field at fault, else above the form."""
    problem = "" if add_errors(form, error) else error_sentence(error)
    ask = "take_over" if error.code == "capture_of_another" else ""
    return show(form, capture_panel.for_form(form), error.meaning.page_status, problem, ask)


def take_in_saved(form: EmployeePageForm) -> None:
    """Merge into the form of an existing employee what somebody else has saved since its page was made, and flash that.

    :raises ChangedMeanwhile: when the same fields were changed here.
    """
    if form.employee_id.data:
        flash_kept_fields(form, form.merge_saved(as_saved(form.employee_id.data)))


def conflict(form: EmployeePageForm, differences: Iterable[Difference]) -> Response:
    """Answer the page as typed, with the fields that somebody else has saved meanwhile; Save writes what is typed."""
    about = notices.conflict(form, differences, _shown_value)
    return show(form, capture_panel.for_form(form), HTTPStatus.CONFLICT, **about)


def _shown_value(field: Field, value: Any) -> str:
    """Return the value of a field as the page shows it: a day in words, and groups by their names."""
    if field.name == "groups":
        return ", ".join(isolated(group) for group_id, group in groups.names() if group_id in value) or "—"
    if field.name in {"valid_from", "valid_to"} and (day := text_rules.day_of(value)):
        return local_day(day)
    return shown_value(field, value)


def add_errors(form: EmployeePageForm, error: ServiceError) -> bool:
    """Add the sentence of a refusal to the fields at fault; return False when there are none on the page."""
    at_fault = [form[name] for name in error.fields if name in form and name != "capture_id"]
    for field in at_fault:
        field.errors = [*field.errors, error_sentence(error)]
    return bool(at_fault)


def address(form: EmployeePageForm, shown: Panel) -> str:
    """Return the address of the page that shows this form with this capture or photo."""
    values: dict[str, Any] = {"capture": shown.page_id}
    if shown.file:
        values["draft_behind" if shown.running else "photo_draft"] = shown.file.token
    if form.round_id.data:
        values |= {"round": form.round_id.data, "of": form.round_of.data}
    employee_id = form.employee_id.data
    if employee_id:
        return url_for("employees.edit", employee_id=employee_id, **values)
    return url_for("employees.new", **values)


def _in_my_way(shown: Panel) -> tuple[Capture, str] | None:
    """Return the operator's own capture because of which a new one was refused, with the address of its form.

    None when it is somebody else's, or its picture is saved.
    """
    capture = shown.in_the_way
    if capture is None or capture.state not in {*RUNNING, CAPTURED} or capture.requested_by != operator_name():
        return None
    employee = search.by_number(capture.draft_number)
    if employee:
        return capture, url_for("employees.edit", employee_id=employee.id, capture=capture.id)
    return capture, url_for("employees.new", capture=capture.id)
