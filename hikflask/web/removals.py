"""Who may still open doors: removals that no terminal confirmed yet."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from hikflask.access import VIEWER, allow
from hikflask.services import enrolments
from hikflask.web import enrolment_lines

bp = Blueprint("removals", __name__)


@bp.get("/removals/")
@allow(VIEWER)
def index() -> ResponseReturnValue:
    """All open removals, the oldest first."""
    lines = [enrolment_lines.line(enrolment) for enrolment in enrolments.open_removals()]
    return render_template("removals/list.html", lines=lines)
