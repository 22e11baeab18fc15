"""Groups of terminals: the list, a page of each, one added, changed or deleted.

Before that it is shown what changes for people by it: beside the form while one chooses, and in any case before a save.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from wtforms import Field

from hikflask.background import tasks
from hikflask.forms.fields import row_id
from hikflask.forms.groups import GroupPageForm
from hikflask.forms.jobs import JobForm
from hikflask.forms.versions import ChangedMeanwhile, Difference
from hikflask.http.permissions import ADMIN, VIEWER, allow, confirmed
from hikflask.labels.enrolments import OnTerminals, on_terminals
from hikflask.models import Employee
from hikflask.services.core.errors import NotFound, PlanChanged, ServiceError, UnsafePlan
from hikflask.services.departments import queries as departments
from hikflask.services.departments import registry as department_registry
from hikflask.services.employees import search
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.enrolments import queries as enrolments
from hikflask.services.enrolments.mass_removals import Confirmation
from hikflask.services.groups import changing, queries
from hikflask.services.groups.changing import Done
from hikflask.services.groups.differences import Differences
from hikflask.services.groups.queries import Listed
from hikflask.services.groups.registry import Wanted
from hikflask.services.terminals import registry as terminals
from hikflask.text_rules import isolated
from hikflask.web.security import resubmission
from hikflask.web.support import htmx
from hikflask.web.support.notices import conflict, flash_kept_fields, flash_plan_changed, shown_value
from hikflask.web.support.responses import refuse

bp = Blueprint("groups", __name__, url_prefix="/groups")
# So many single employees are listed; others leave a group by their own form.
MAX_PEOPLE = 200
# So many faces are shown of a group, in the list of groups, and of a search.
MAX_FACES, FEW_FACES, MAX_FOUND = 60, 5, 8
# While one chooses, it is counted what changes where there are no more employees: nobody else writes meanwhile.
MAX_LIVE = 20_000
# The part of the form with who was found, as htmx names it.
RESULTS = "div#results"


@dataclass(frozen=True)
class Member:
    """Somebody who belongs to a group, and the state on its terminals; None where the employee is on none of them."""

    employee: Employee
    state: OnTerminals | None


@bp.get("/")
@allow(VIEWER)
def index() -> ResponseReturnValue:
    """All groups by name, with what belongs to each."""
    groups = [(group, *queries.members(group, FEW_FACES)) for group in queries.list_all()]
    return render_template("groups/list.html", groups=groups)


@bp.get("/<int:group_id>")
@allow(VIEWER)
def show(group_id: int) -> ResponseReturnValue:
    """A group: its terminals and its people, with the state of each."""
    group = _group_or_404(group_id)
    employees, count = queries.members(group, MAX_FACES)
    badges = enrolments.badges([employee.id for employee in employees])
    here = {terminal.name for terminal in group.terminals}
    members = []
    for employee in employees:
        of_group = tuple(pair for pair in badges.get(employee.id, ()) if pair[0] in here)
        members.append(Member(employee, on_terminals(of_group) if of_group else None))
    return render_template("groups/show.html", group=group, members=members, count=count)


@bp.get("/new")
@confirmed(ADMIN)
def new() -> ResponseReturnValue:
    """An empty form."""
    return _page(GroupPageForm(formdata=None))


@bp.post("/")
@confirmed(ADMIN)
def create() -> ResponseReturnValue:
    """Add a group; if it gives somebody a terminal, that is shown first."""
    form = GroupPageForm()
    return _draft(form, None) if form.is_search else _save(form, None)


@bp.get("/<int:group_id>/edit")
@confirmed(ADMIN)
def edit(group_id: int) -> ResponseReturnValue:
    """The form of a group."""
    return _page(_as_saved(group_id), _group_or_404(group_id))


@bp.post("/<int:group_id>")
@confirmed(ADMIN)
def update(group_id: int) -> ResponseReturnValue:
    """Save what was changed in the form; if somebody gets or loses a terminal, that is shown first."""
    form, group = GroupPageForm(), _group_or_404(group_id)
    return _draft(form, group) if form.is_search else _save(form, group)


@bp.post("/draft")
@allow(ADMIN)
def draft_of_new() -> ResponseReturnValue:
    """The form of a new group as it is typed; see draft()."""
    return _draft(GroupPageForm(), None)


@bp.post("/<int:group_id>/draft")
@allow(ADMIN)
def draft(group_id: int) -> ResponseReturnValue:
    """The form as it is typed, with who was searched for and what a save would change. Nothing is saved."""
    return _draft(GroupPageForm(), _group_or_404(group_id))


@resubmission.restores("groups.create", "groups.update", "groups.draft_of_new", "groups.draft")
def typed_again(fields: MultiDict[str, str], group_id: int | None = None) -> Response:
    """Show the form again as it was filled in."""
    return _page(GroupPageForm(formdata=fields), _group_or_404(group_id) if group_id else None)


@bp.get("/<int:group_id>/delete")
@confirmed(ADMIN)
def ask_delete(group_id: int) -> ResponseReturnValue:
    """Ask before a group is deleted: how many lose which terminals."""
    return _question(_group_or_404(group_id), JobForm(formdata=None))


@bp.post("/<int:group_id>/delete")
@confirmed(ADMIN)
def delete(group_id: int) -> ResponseReturnValue:
    """Delete a group; the people of it are removed from its terminals in the background."""
    group, form = _group_or_404(group_id), JobForm()
    try:
        done = changing.change(group_id, None, tasks.enqueue_job, _agreed(form), digest=form.shown.data or "")
    except PlanChanged as error:
        return _question(group, form, error.meaning.page_status)
    except ServiceError as error:
        return _question(group, form, refuse(form.confirm, error))
    flash(_("%(name)s is deleted.", name=isolated(group.name)))
    return _redirect(done)


@resubmission.restores("groups.delete")
def asked_again(fields: MultiDict[str, str], group_id: int) -> Response:
    """Show the question again with the number as it was typed."""
    return _question(_group_or_404(group_id), JobForm(formdata=fields))


def _draft(form: GroupPageForm, group: Listed | None) -> ResponseReturnValue:
    known = department_registry.find(form.department.data or "")
    if known and (department_id := department_registry.id_of(known)):
        form.set_value("departments", [*form.ids("departments"), department_id])
        form.department.data = ""
    form.pressed = "" if htmx.wants_fragment() else "find" if form.find.data else "department"
    form.searched.data = form.find.data
    changes = _changes(form, group) if not htmx.wants_fragment() or _counts_soon() else None
    return _page(form, group, changes=changes, is_previewed=changes is not None)


def _counts_soon() -> bool:
    """Tell whether to count what changes while one chooses: not for a search, and not of so many that others wait."""
    return request.headers.get("HX-Target") != RESULTS and search.count(EmployeeFilter()) <= MAX_LIVE


def _changes(form: GroupPageForm, group: Listed | None) -> Differences | None:
    try:
        return changing.preview(group.id if group else None, _wanted(form, group))
    except ServiceError:
        return None  # Save says what is wrong.


def _save(form: GroupPageForm, group: Listed | None) -> ResponseReturnValue:
    group_id = group.id if group else None
    if not form.validate():
        return _page(form, group, HTTPStatus.UNPROCESSABLE_ENTITY)

    def merge_saved() -> list[Difference]:
        return form.merge_saved(_as_saved(group_id)) if group_id else []

    try:
        flash_kept_fields(form, merge_saved())
        wanted, digest = _wanted(form, group), form.shown.data or ""
        done = changing.change(group_id, wanted, tasks.enqueue_job, _agreed(form), digest=digest, require=merge_saved)
    except ChangedMeanwhile as error:
        return _page(form, group, HTTPStatus.CONFLICT, **conflict(form, error.differences, _shown_value))
    except PlanChanged:
        return _page(form, group, flash_plan_changed(form), changing.preview(group_id, wanted))
    except UnsafePlan as error:
        return _page(form, group, refuse(form.confirm, error), changing.preview(group_id, wanted))
    except ServiceError as error:
        at_fault = next((form[name] for name in error.fields if name in form), form.name)
        if error.code == "group_terminal_unknown":
            at_fault = form.terminals
        return _page(form, group, refuse(at_fault, error))
    flash(_("The group is saved."))
    return _redirect(done)


def _agreed(form: GroupPageForm | JobForm) -> Confirmation:
    """Return the number that was typed; all forms of groups are administrators'."""
    return Confirmation(row_id(form.confirm.data), by_admin=True)


def _wanted(form: GroupPageForm, group: Listed | None) -> Wanted:
    ticked = [department.name for department in departments.of_ids(form.ticked_here("departments"))]
    return Wanted(
        name=form.name.data if "name" in form.changed() else None,
        terminal_ids=form.ticked_here("terminals") & {terminal.id for terminal in _offered(group)},
        departments=[*ticked, *([form.department.data] if form.department.data else [])],
        added=form.numbers,
        removed=form.ids("removed"),
        removed_terminals=form.unticked_here("terminals"),
        removed_departments=form.unticked_here("departments"),
    )


def _as_saved(group_id: int) -> GroupPageForm:
    """Return the form of a group as it is saved now, with its version.

    :raises group_unknown: when it was deleted meanwhile.
    """
    group = queries.get(group_id)
    if group is None:
        raise NotFound("group_unknown")
    form = GroupPageForm(formdata=None, name=group.name)
    form.set_value("terminals", queries.ids(queries.TERMINALS, group_id))
    form.set_value("departments", queries.ids(queries.DEPARTMENTS, group_id))
    return form.as_saved()


def _redirect(done: Done) -> ResponseReturnValue:
    """Redirect to the job that follows for people; when nothing follows, to the group, or to the list without it."""
    if done.job_id is not None:
        return redirect(url_for("jobs.show", job_id=done.job_id), 303)
    is_there = queries.get(done.group_id) is not None
    return redirect(url_for(".show", group_id=done.group_id) if is_there else url_for(".index"), 303)


def _page(
    form: GroupPageForm,
    group: Listed | None = None,
    status: int = HTTPStatus.OK,
    changes: Differences | None = None,
    **about: object,
) -> Response:
    """Answer the form, with what would change by it where that is the question."""
    chosen = search.by_numbers(form.chosen_numbers)
    context: dict[str, Any] = {
        "terminals": _offered(group),
        "departments": departments.list_all(),
        "people": queries.people(group.id, MAX_PEOPLE) if group else [],
        "chosen": [*chosen.active, *chosen.inactive],
        "results": search.page_to_show(EmployeeFilter(q=form.searched.data), MAX_FOUND)[0].rows
        if form.searched.data
        else [],
        "ticked": {name: set(form.ids(name)) for name in ("terminals", "departments", "removed")},
        "found": changes,
    }
    template = "groups/_draft.html" if htmx.wants_fragment() else "groups/form.html"
    return make_response(render_template(template, form=form, group=group, **context, **about), status)


def _shown_value(field: Field, value: Any) -> str:
    """Return the value of a field as the page shows it: terminals and departments by their names."""
    if field.name not in GroupPageForm.ticks:
        return shown_value(field, value)
    rows = terminals.list_all() if field.name == "terminals" else departments.of_ids(value)
    return ", ".join(isolated(row.name) for row in rows if row.id in value) or "—"


def _offered(group: Listed | None) -> list[Any]:
    """Return the terminals that a group may have: all but those out of service for good."""
    own = {terminal.id for terminal in group.terminals} if group else set()
    return [terminal for terminal in terminals.list_all() if terminal.retired_at is None or terminal.id in own]


def _question(group: Listed, form: JobForm, status: int = HTTPStatus.OK) -> Response:
    changes = changing.preview(group.id, None)
    if form.shown.data != changes.digest:
        flash_plan_changed(form)
    return make_response(render_template("groups/delete.html", group=group, form=form, found=changes), status)


def _group_or_404(group_id: int) -> Listed:
    return queries.get(group_id) or abort(404)
