"""Employees: the list, the strip of those added last, the page of one, deactivation, deletion, personal data."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hikflask.background import tasks
from hikflask.codes.badges import NOT_SENT, PERSON_ONLY, TAKEN_THERE
from hikflask.forms.employees import CardPageForm, EmployeeFilterForm
from hikflask.forms.fields import row_id
from hikflask.http.permissions import ADMIN, OPERATOR, VIEWER, allow, confirmed
from hikflask.labels.enrolments import EnrolmentStatus, on_terminals, statuses_of, worst_first
from hikflask.messages import error_sentence
from hikflask.models import Employee, Terminal
from hikflask.models.accounts import AS_LIST, AS_PHOTOS
from hikflask.models.enrolment import LEAVING, PRESENT, REFUSED, REMOVED, WAITING
from hikflask.services.accounts import operators
from hikflask.services.cards import registry as cards
from hikflask.services.comparisons import own_records
from hikflask.services.core.errors import ServiceError
from hikflask.services.departments import registry as departments
from hikflask.services.employees import search
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal, terminals_of_return
from hikflask.services.employees.lifecycle import set_active as set_employee_active
from hikflask.services.employees.personal_data_export import export_employee
from hikflask.services.enrolments import queries
from hikflask.services.groups import queries as groups
from hikflask.services.passages import queries as passages
from hikflask.services.passages import switch
from hikflask.services.privacy import consents
from hikflask.services.terminals import connection, registry
from hikflask.text_rules import isolated
from hikflask.web.security import current_operator
from hikflask.web.security.current_operator import may
from hikflask.web.support import htmx
from hikflask.web.support.notices import with_link
from hikflask.web.support.pagination import CursorPage, paginate
from hikflask.web.support.urls import current_address, own_path

bp = Blueprint("employees", __name__)

ADDRESS = "/employees/<int:employee_id>"
# The views of the list, by their names in the address.
VIEWS = {"list": AS_LIST, "photos": AS_PHOTOS}
# How many of the employees that an operator added last are shown below the form of the next one.
MAX_LATEST = 5
# In the signed cookie, which is emptied at sign-in and sign-out: the ids of the added employees, the last one first.
ADDED = "added"
# There, too: the address of the list, with its filters, from which an employee was opened last.
LIST = "list"
# A browser takes no cookie of more than 4 KB, and would keep the one before.
MAX_ADDRESS = 1500


@dataclass(frozen=True)
class Added:
    """An employee of that strip, with the status on each terminal."""

    employee: Employee
    lines: list[EnrolmentStatus]


@bp.get("/employees/")
@allow(VIEWER)
def index() -> ResponseReturnValue:
    """The employees that pass the filters of the address; an invalid filter is named and ignored."""
    as_photos = view_to_show() == AS_PHOTOS
    form = EmployeeFilterForm(request.args)
    status = HTTPStatus.OK if form.validate() else HTTPStatus.UNPROCESSABLE_ENTITY
    if form.department.data:
        form.department.data = departments.find(form.department.data) or form.department.data
    wanted, terminals = form.filter, registry.list_active()
    page, searched = _page_of(wanted)
    badges = queries.badges([employee.id for employee in page.rows])
    about = {
        "form": form,
        "found": page,
        "rows": page.rows,
        "shown": {
            employee.id: on_terminals(badges[employee.id]) if employee.id in badges else None for employee in page.rows
        },
        "as_photos": as_photos,
        "filters_set": form.narrowing,
        "terminals": terminals,
        # What is shown is what is sorted, exported and sent, also where other words were typed.
        "chosen": form.texts | ({"q": searched.q} if searched.q else {}),
        "typed": wanted.q if searched.q != wanted.q else "",
        "sort": wanted.sort,
        "narrowed": wanted != EmployeeFilter(sort=wanted.sort),
    }
    if not htmx.wants_fragment():
        form.offer(terminals=terminals, departments=departments.names())
        return render_template("employees/list.html", **about), status
    rows = render_template("employees/_rows.html", **about, elsewhere=True)
    return htmx.narrowed(rows, url_for(".index", **form.texts), status)


def _page_of(wanted: EmployeeFilter) -> tuple[CursorPage[Employee], EmployeeFilter]:
    """Return the page that the address asks for, and its filter.

    Where the words as typed find nobody, and somebody as the other layout of the keyboard writes them, these words are
    searched for.
    """
    page = paginate(lambda limit, place: search.page_to_show(wanted, limit, place))
    other = None if page.rows else search.in_other_layout(wanted)
    if other is not None:
        found = paginate(lambda limit, place: search.page_to_show(other, limit, place))
        if found.rows:
            return found, other
    return page, wanted


def view_to_show() -> str:
    """Return how the operator looks at the employees; where the address asks for another view, that one is kept."""
    operator = current_operator.required()
    view = VIEWS.get(request.args.get("view", ""), operator.employees_view)
    if view != operator.employees_view:
        operators.remember_view(operator.operator_id, view)
    return view


@bp.get("/employees/latest")
@allow(OPERATOR, is_activity=False)
def latest() -> ResponseReturnValue:
    """The strip of the employees added last, which polls while something is still to be confirmed."""
    return render_template("employees/_latest.html", latest=latest_added())


def remember_added(employee_id: int) -> None:
    """Put an employee who was added just now in front. A save that is sent twice counts once."""
    earlier = [added_id for added_id in session.get(ADDED, []) if added_id != employee_id]
    session[ADDED] = [employee_id, *earlier][:MAX_LATEST]


def latest_added() -> list[Added]:
    """Return the employees who were added last, without deleted ones."""
    return [Added(employee, statuses_of(employee)) for employee in search.of_ids(session.get(ADDED, []))]


@bp.get(ADDRESS)
@allow(VIEWER)
def show(employee_id: int) -> ResponseReturnValue:
    """One employee, with what each terminal confirmed."""
    return page(employee_id, CardPageForm(formdata=None))


def page(employee_id: int, card_form: CardPageForm) -> str:
    """Return the page of an employee, with the form for a card as it was typed."""
    employee = employee_or_404(employee_id)
    about = {"consent": consents.get(employee_id), "groups": groups.of_employee(employee), **terminal_lines(employee)}
    if switch.is_on():
        last = passages.last_of(employee_id)
        terminal = registry.find_terminal(last[0].terminal_id or 0) if last else None
        about |= {"last_events": last, "last_terminal": terminal}
    about |= {"card_form": card_form}
    return render_template("employees/show.html", employee=employee, back=list_before(), **about)


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


@bp.get(f"{ADDRESS}/activate")
@allow(OPERATOR)
def ask_activate(employee_id: int) -> ResponseReturnValue:
    """Ask before an employee who left is let in again, and name the terminals that will have the employee."""
    employee = employee_or_404(employee_id)
    return render_template("employees/activate.html", employee=employee, terminals=terminals_of_return(employee))


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
    """Ask before an employee is deleted; of one who was taken over also what becomes of the terminals' own records."""
    employee = employee_or_404(employee_id)
    return render_template("employees/delete.html", employee=employee, records=own_records.of_employee(employee))


@bp.post(f"{ADDRESS}/delete")
@allow(OPERATOR)
def delete(employee_id: int) -> ResponseReturnValue:
    """Delete an employee; removals from terminals go on, and are shown as open until they are confirmed."""
    name, is_left = employee_or_404(employee_id).name, request.form.get("own") == "leave"
    deleted = own_records.delete_and_leave(employee_id) if is_left else delete_employee(employee_id)
    tasks.enqueue_due(deleted.due)
    flash(_("%(name)s is deleted.", name=isolated(name)))
    if is_left:
        flash(_("The terminals' own records stay there, and may still open doors."), "warning")
    if deleted.due:
        text = _("The removal from the terminals goes on; until it is confirmed, it stands here:")
        flash(with_link(text, url_for("removals.index"), _("May still open doors")), "warning")
    return redirect(url_for(".index"), 303)


@bp.post(f"{ADDRESS}/export")
@confirmed(ADMIN, answers_file=True)
def export(employee_id: int) -> Response:
    """Answer a ZIP file with everything that is stored about an employee.

    It is a POST, as it writes to the audit trail: no link on another page can cause it.
    """
    number = employee_or_404(employee_id).number
    response = make_response(export_employee(employee_id))
    response.mimetype = "application/zip"
    # A number consists of Latin letters and digits, so it needs no quoting.
    response.headers["Content-Disposition"] = f'attachment; filename="employee-{number}.zip"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def terminal_lines(employee: Employee) -> dict[str, Any]:
    """Return the lines of an employee's enrolments, the worst first, and the other terminals that are possible.

    `past` are those of terminals that were retired, and `step` what is missing, with its line. `just_added`: the
    operator added nobody after this employee.
    """
    every = worst_first(statuses_of(employee))
    past = [line for line in every if line.detail == REMOVED and line.enrolment.terminal.retired_at]
    lines = [line for line in every if line not in past]
    desired = {row.terminal_id for row in queries.of_number(employee.number) if row.desired == PRESENT}
    others = [row for row in registry.list_active() if row.id not in desired] if employee.is_active else []
    just_added = session.get(ADDED, [])[:1] == [employee.id]
    about = {"lines": lines, "past": past, "step": _missing_step(employee, lines, others), "just_added": just_added}
    return {**about, "others": others, "other_ids": {row.id for row in others}, "cards": cards.lines(employee)}


def list_before() -> str:
    """Return the address of the list that the operator came from, with its filters, also by way of other pages.

    A page that was opened by its address alone leads to the whole list, and so does one whose address is too long.
    """
    whole = url_for("employees.index")
    if not request.referrer:
        session.pop(LIST, None)
    elif own_path(request.referrer).partition("?")[0] == whole:
        address = current_address(whole)
        session[LIST] = address if len(address) <= MAX_ADDRESS else whole
    return str(session.get(LIST, whole))


def employee_or_404(employee_id: int) -> Employee:
    """Return an employee.

    :raises werkzeug.exceptions.NotFound: when there is none.
    """
    return search.get(employee_id) or abort(404)


def _missing_step(
    employee: Employee, lines: Sequence[EnrolmentStatus], others: Sequence[Terminal]
) -> tuple[str, EnrolmentStatus | None]:
    """Return the step of the blue button, empty for none, and the first of these lines that it is for, None for none.

    `others` are the terminals that the employee can still be sent to.
    """
    steps = ((_step_of(line), line) for line in lines if not line.working)
    return next((found for found in steps if found[0]), (_step_to_a_terminal(employee, lines, others), None))


def _step_to_a_terminal(employee: Employee, lines: Sequence[EnrolmentStatus], others: Sequence[Terminal]) -> str:
    is_nowhere = employee.is_active and all(line.detail == REMOVED for line in lines)
    if is_nowhere and employee.picture:
        return "send" if others else ""
    return "photo" if is_nowhere else ""


def _step_of(line: EnrolmentStatus) -> str:
    if line.password_refused:
        return "password" if may(ADMIN) else ""
    if line.detail == LEAVING:
        is_decided = line.enrolment.waits_for_hand or line.asks_whose
        return "" if is_decided else "removal"
    if line.detail == PERSON_ONLY:
        return _photo_step(line)
    return {TAKEN_THERE: "number", REFUSED: "retry"}.get(line.detail, "")


def _photo_step(line: EnrolmentStatus) -> str:
    if line.needs_capture:
        return "" if connection.is_out_of_reach(line.enrolment.terminal) else "capture"
    return "" if line.lacks_capacity or line.badge in (NOT_SENT, WAITING) else "photo"
