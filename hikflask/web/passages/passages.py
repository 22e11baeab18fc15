"""Passages: who came in, who was turned away, and when, as the terminals recorded it."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from hikflask.http.permissions import VIEWER, allow
from hikflask.services.employees import search
from hikflask.services.passages import queries, switch
from hikflask.services.passages.queries import EventFilter
from hikflask.services.terminals import registry
from hikflask.web.support.pagination import turned

bp = Blueprint("passages", __name__, url_prefix="/passages")


@bp.get("/")
@allow(VIEWER)
def index() -> ResponseReturnValue:
    """The events that pass the filters of the address, the newest first."""
    switch.require_on()
    wanted = EventFilter()
    found = turned(lambda limit, place: (queries.page_of(wanted, limit, place), queries.count_up_to(wanted)))
    people = search.of_ids(list({event.employee_id for event in found.rows if event.employee_id}), enrolments=False)
    about = {
        "found": found,
        "people": {employee.id: employee for employee in people},
        "terminals": {terminal.id: terminal for terminal in registry.list_all()},
    }
    return render_template("passages/list.html", **about)
