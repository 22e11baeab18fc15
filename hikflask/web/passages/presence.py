"""Who is inside, by department, and the list of them for an evacuation, which is printed."""

from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from hikflask.http.permissions import VIEWER, allow
from hikflask.services import audit
from hikflask.services.passages import presence, switch
from hikflask.web.support import htmx

# Of a department, and of all of them together while none is chosen.
MAX_FACES, MAX_FACES_OF_ALL = 24, 96
bp = Blueprint("presence", __name__, url_prefix="/presence")


@bp.get("/")
@allow(VIEWER)
def index() -> ResponseReturnValue:
    """Who is inside; narrowed by the words and the department of the address."""
    return render_template("presence/_people.html" if htmx.wants_fragment() else "presence/show.html", **_inside())


@bp.get("/state")
@allow(VIEWER, is_activity=False)
def state() -> ResponseReturnValue:
    """The part of the page that polls."""
    return htmx.with_bar(render_template("presence/_people.html", **_inside()))


@bp.get("/evacuation")
@allow(VIEWER)
def evacuation() -> ResponseReturnValue:
    """Everybody who is inside, on paper. No terminal is asked."""
    switch.require_on()
    inside = presence.presence()
    audit.record_passages_left("evacuation")
    return render_template("presence/evacuation.html", inside=inside, departments=presence.by_department(inside.people))


def _inside() -> dict[str, Any]:
    switch.require_on()
    inside = presence.presence()
    words, department = request.args.get("q", ""), request.args.get("department")
    today, earlier = (presence.found(people, words, department) for people in (inside.today, inside.earlier))
    departments, is_narrowed = presence.by_department(today), bool(words.strip()) or department is not None
    of_each = max(1, min(MAX_FACES, MAX_FACES_OF_ALL // max(1, len(departments))))
    return {
        "inside": inside,
        "words": words,
        "department": department,
        "limit": None if is_narrowed else of_each,
        "departments": departments,
        "earlier": earlier,
        "of_all": presence.by_department(inside.people),
        "employees": presence.employees([*today, *earlier]),
    }
