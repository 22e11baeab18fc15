"""Employees: the list, the page of one, deactivation and deletion."""

from http import HTTPStatus

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hikflask.background import tasks
from hikflask.forms.employee_filter import EmployeeFilterForm
from hikflask.forms.fields import row_id
from hikflask.http.permissions import OPERATOR, VIEWER, allow
from hikflask.invisible_characters import isolated
from hikflask.labels.refusals import error_sentence
from hikflask.models import Employee
from hikflask.services.core.errors import ServiceError
from hikflask.services.departments import registry as departments
from hikflask.services.employees import search
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal
from hikflask.services.employees.lifecycle import set_active as set_employee_active
from hikflask.services.enrolments import queries
from hikflask.services.groups import queries as groups
from hikflask.services.privacy import consents
from hikflask.services.terminals import registry
from hikflask.web.employees import terminal_lines
from hikflask.web.support import htmx
from hikflask.web.support.notices import with_link
from hikflask.web.support.pagination import turned

bp = Blueprint("employees", __name__)

ADDRESS = "/employees/<int:employee_id>"
# The field of the list in which one types, as htmx names the element that asks.
SEARCH = "input#q"


@bp.get("/employees/")
@allow(VIEWER)
def index() -> ResponseReturnValue:
    """The employees that pass the filters of the address; a wrong filter is named, and filters nothing."""
    form = EmployeeFilterForm(request.args)
    status = HTTPStatus.OK if form.validate() else HTTPStatus.UNPROCESSABLE_ENTITY
    if form.department.data:
        form.department.data = departments.find(form.department.data) or form.department.data
    wanted, terminals = form.filter, registry.list_active()
    found = turned(lambda limit, place: search.page_to_show(wanted, limit, place))
    about = {
        "form": form,
        "found": found,
        "rows": found.rows,
        "badges": queries.badges([employee.id for employee in found.rows]),
        "terminals": terminals,
        "sort": wanted.sort,
        "narrowed": wanted != EmployeeFilter(sort=wanted.sort),
    }
    if not htmx.wants_fragment():
        form.offer(terminals, departments.names())
        return render_template("employees/list.html", **about), status
    # What is typed letter by letter does not fill the history.
    with_address = htmx.replaced_address if request.headers.get("HX-Source") == SEARCH else htmx.new_address
    return with_address(render_template("employees/_rows.html", **about), url_for(".index", **form.texts), status)


@bp.get(ADDRESS)
@allow(VIEWER)
def show(employee_id: int) -> ResponseReturnValue:
    """One employee, with what each terminal confirmed."""
    return _page(employee_or_404(employee_id))


@bp.post(f"{ADDRESS}/terminals")
@allow(OPERATOR)
def send(employee_id: int) -> ResponseReturnValue:
    """Enrol an employee on one more terminal, with the stored photo."""
    employee_or_404(employee_id)
    try:
        sent = send_to_terminal(employee_id, row_id(request.form.get("terminal_id")) or 0)
    except ServiceError as error:
        flash(error_sentence(error), "danger")
    else:
        tasks.enqueue_due(sent.due)
    return redirect(url_for(".show", employee_id=employee_id), 303)


@bp.get(f"{ADDRESS}/deactivate")
@allow(OPERATOR)
def ask_deactivate(employee_id: int) -> ResponseReturnValue:
    """Ask before an employee is deactivated: a face that a terminal has removed must be captured anew."""
    return render_template("employees/deactivate.html", employee=employee_or_404(employee_id))


@bp.post(f"{ADDRESS}/active")
@allow(OPERATOR)
def set_active(employee_id: int) -> ResponseReturnValue:
    """Deactivate an employee, which removes the person from all terminals, or activate again."""
    employee_or_404(employee_id)
    try:
        changed = set_employee_active(employee_id, request.form.get("active") == "1")
    except ServiceError as error:
        flash(error_sentence(error), "danger")
    else:
        tasks.enqueue_due(changed.due)
    return redirect(url_for(".show", employee_id=employee_id), 303)


@bp.get(f"{ADDRESS}/delete")
@allow(OPERATOR)
def ask_delete(employee_id: int) -> ResponseReturnValue:
    """Ask before an employee is deleted."""
    return render_template("employees/delete.html", employee=employee_or_404(employee_id))


@bp.post(f"{ADDRESS}/delete")
@allow(OPERATOR)
def delete(employee_id: int) -> ResponseReturnValue:
    """Delete an employee; removals from terminals go on, and are shown as open until they are confirmed."""
    name = employee_or_404(employee_id).name
    deleted = delete_employee(employee_id)
    tasks.enqueue_due(deleted.due)
    flash(_("%(name)s is deleted.", name=isolated(name)))
    if deleted.due:
        text = _("The removal from the terminals goes on; until it is confirmed, it stands here:")
        flash(with_link(text, url_for("removals.index"), _("May still open doors")), "warning")
    return redirect(url_for(".index"), 303)


def _page(employee: Employee) -> str:
    known = {"consent": consents.get(employee.id), **terminal_lines.known(employee)}
    known["groups"] = groups.of_employee(employee)
    return render_template("employees/show.html", employee=employee, **known)


def employee_or_404(employee_id: int) -> Employee:
    """Return an employee.

    :raises werkzeug.exceptions.NotFound: when there is none.
    """
    return search.get(employee_id) or abort(404)
