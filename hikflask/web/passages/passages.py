"""Passages: who came in, who was turned away, and when, as the terminals recorded it."""

from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from itertools import groupby
from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hikflask.forms.fields import row_id
from hikflask.forms.passages import PassagesForm
from hikflask.http.permissions import OPERATOR, VIEWER, allow
from hikflask.labels import events as labels
from hikflask.models import Employee, Event
from hikflask.models.event import KINDS
from hikflask.services import audit
from hikflask.services.core.dates import local, today
from hikflask.services.departments import registry as departments
from hikflask.services.employees import search
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.passages import intake, pictures, queries, switch
from hikflask.services.passages.queries import BESIDES, KINDS_BY_NAME, EventFilter
from hikflask.services.terminals import registry
from hikflask.web.security import current_operator
from hikflask.web.support import htmx, responses
from hikflask.web.support.pagination import CursorPage, paginate
from hikflask.web.support.urls import own_path

bp = Blueprint("passages", __name__, url_prefix="/passages")

# Of the filter by kind: everything, also what is left out where none is chosen.
EVERYTHING = "all"


@bp.get("/")
@allow(VIEWER)
def index() -> ResponseReturnValue:
    """The events that pass the filters of the address, the newest first; an invalid filter is named and ignored."""
    switch.require_on()
    form = _form()
    status = HTTPStatus.OK if form.validate() else HTTPStatus.UNPROCESSABLE_ENTITY
    about = _about(form)
    if not htmx.wants_fragment():
        form.offer(terminals=registry.list_active(), departments=departments.names())
        return render_template("passages/list.html", **about), status
    rows = render_template("passages/_rows.html", **about, elsewhere=True)
    return htmx.narrowed(rows, url_for(".index", **form.texts), status)


@bp.get("/state")
@allow(VIEWER, is_activity=False)
def state() -> ResponseReturnValue:
    """The first page of the list, which is brought up to date while somebody looks at it."""
    switch.require_on()
    form = _form()
    form.validate()
    return render_template("passages/_rows.html", **_about(form), refreshed=True)


@bp.get("/<int:event_id>/picture")
@allow(OPERATOR, is_activity=False)
def picture(event_id: int) -> ResponseReturnValue:
    """The picture that the terminal took at the moment."""
    switch.require_on()
    jpeg = pictures.read(event_id) or abort(404)
    audit.record_passages_view(_page_of_picture())
    return responses.picture(jpeg)


def _page_of_picture() -> str:
    """Return the path of the page that shows the picture, or of the picture alone."""
    path = own_path(request.referrer or "").partition("?")[0]
    return path if path == url_for(".index") else request.path


def _form() -> PassagesForm:
    kinds = [
        (EVERYTHING, _("Everything")),
        ("denied", _("Not let in")),
        *((kind, labels.kind_label(kind)) for kind in KINDS),
    ]
    return PassagesForm(request.args, kinds)


def _about(form: PassagesForm) -> dict[str, Any]:
    """Return what the list shows under the filters of a validated form."""
    typed = _filter(form)
    found, wanted = _page_of(typed)
    if not found.place.cursor:
        intake.watch()
    with_pictures = current_operator.may(OPERATOR) and pictures.are_kept()
    if with_pictures and any(event.picture for event in found.rows):
        audit.record_passages_view(url_for(".index"))
    ids = {employee_id for employee_id in (wanted.person, *(event.employee_id for event in found.rows)) if employee_id}
    people = {employee.id: employee for employee in search.of_ids(list(ids), enrolments=False)}
    return {
        "form": form,
        "found": found,
        "days": [(day, list(rows)) for day, rows in groupby(found.rows, lambda event: local(event.occurred_at).date())],
        "is_past": wanted.day is not None and wanted.day < today(),
        "people": people,
        "owners": _owners(found.rows),
        "person": people.get(wanted.person or 0),
        "terminals": {terminal.id: terminal for terminal in registry.list_all()},
        "missing": queries.missing_since(),
        "with_pictures": with_pictures,
        "filters_set": form.narrowing,
        # What is shown is what is paginated, also where other words were typed.
        "chosen": form.texts | ({"q": wanted.words} if wanted.words else {}),
        "typed": typed.words if typed.words != wanted.words else "",
        "narrowed": bool(form.texts),
    }


def _owners(events: Sequence[Event]) -> dict[str, Employee]:
    """Return who has the IDs of events that are nobody's, by ID: the events may be of somebody who had them before."""
    numbers = {event.number for event in events if event.number and event.employee_id is None}
    found = search.by_numbers(numbers)
    return {employee.number: employee for employee in (*found.active, *found.inactive)}


def _page_of(wanted: EventFilter) -> tuple[CursorPage[Event], EventFilter]:
    """Return the page that the address asks for, and its filter.

    Words that find nobody are searched for as the other layout of the keyboard writes them, as among the employees.
    """
    found = _paginate(wanted)
    other = None if found.rows else search.in_other_layout(EmployeeFilter(q=wanted.words))
    if other is None:
        return found, wanted
    wanted_otherwise = replace(wanted, words=other.q)
    found_otherwise = _paginate(wanted_otherwise)
    return (found_otherwise, wanted_otherwise) if found_otherwise.rows else (found, wanted)


def _paginate(wanted: EventFilter) -> CursorPage[Event]:
    return paginate(lambda limit, place: (queries.page_of(wanted, limit, place), queries.count_up_to(wanted)))


def _filter(form: PassagesForm) -> EventFilter:
    kind = form.right(form.kind)
    return EventFilter(
        words=form.right(form.q),
        person=row_id(form.right(form.person)),
        terminal=row_id(form.right(form.terminal)),
        kinds=KINDS_BY_NAME.get(kind, ()),
        without=() if kind else BESIDES,
        day=form.right(form.day) or None,
        department=form.right(form.department),
    )
