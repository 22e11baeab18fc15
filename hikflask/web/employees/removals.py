"""The page of open removals: who may still open doors, since no terminal confirmed the removal yet."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from hikflask.http.permissions import VIEWER, allow
from hikflask.labels.enrolments import status_of
from hikflask.services.enrolments import queries
from hikflask.web.support import attention_counts, htmx
from hikflask.web.support.pagination import turned

bp = Blueprint("removals", __name__)


@bp.get("/removals/")
@allow(VIEWER)
def index() -> ResponseReturnValue:
    """The open removals, the oldest first."""
    return render_template("employees/removals.html", **_known())


@bp.get("/removals/state")
@allow(VIEWER, is_activity=False)
def state() -> ResponseReturnValue:
    """The part of the page that polls."""
    return htmx.with_bar(render_template("employees/_removals.html", **_known()))


def _known() -> dict[str, object]:
    found = turned(lambda limit, place: (queries.page_of_removals(limit, place), attention_counts.get().removals))
    return {"found": found, "lines": [status_of(enrolment) for enrolment in found.rows]}
