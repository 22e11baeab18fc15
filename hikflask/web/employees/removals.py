"""The page of open removals: who may still open doors, since no terminal confirmed the removal yet."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from hikflask.http.permissions import VIEWER, allow
from hikflask.services.enrolments import queries
from hikflask.web.support import enrolment_status, htmx
from hikflask.web.support.enrolment_status import EnrolmentStatus

bp = Blueprint("removals", __name__)


@bp.get("/removals/")
@allow(VIEWER)
def index() -> ResponseReturnValue:
    """All open removals, the oldest first."""
    return render_template("employees/removals.html", lines=_lines())


@bp.get("/removals/state")
@allow(VIEWER, is_activity=False)
def state() -> ResponseReturnValue:
    """The part of the page that polls."""
    return htmx.with_bar(render_template("employees/_removals.html", lines=_lines()))


def _lines() -> list[EnrolmentStatus]:
    return [enrolment_status.of_enrolment(enrolment) for enrolment in queries.open_removals()]
