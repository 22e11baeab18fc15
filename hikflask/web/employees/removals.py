"""The page of open removals: who may still open doors, since no terminal confirmed the removal yet."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from hikflask.http.permissions import VIEWER, allow
from hikflask.services.enrolments import queries
from hikflask.web.support import enrolment_status

bp = Blueprint("removals", __name__)


@bp.get("/removals/")
@allow(VIEWER)
def index() -> ResponseReturnValue:
    """All open removals, the oldest first."""
    lines = [enrolment_status.of_enrolment(enrolment) for enrolment in queries.open_removals()]
    return render_template("employees/removals.html", lines=lines)
