"""The start page: what a person must do, the worst first. It keeps itself up to date."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from hikflask.http.permissions import VIEWER, allow
from hikflask.labels.enrolments import status_of
from hikflask.services.attention import overview
from hikflask.web.attention import lines
from hikflask.web.security.current_operator import operator_name
from hikflask.web.support import attention_counts, htmx

bp = Blueprint("attention", __name__)


@bp.get("/")
@allow(VIEWER)
def start() -> ResponseReturnValue:
    """Go to the start page."""
    return redirect(url_for(".show"))


@bp.get("/attention")
@allow(VIEWER)
def show() -> ResponseReturnValue:
    """What needs attention."""
    return render_template("attention/overview.html", **_known())


@bp.get("/attention/state")
@allow(VIEWER, is_activity=False)
def state() -> ResponseReturnValue:
    """The part of the page that polls; the whole page for a browser without JavaScript, which loads it again."""
    if not htmx.wants_fragment():
        return show()
    return htmx.with_bar(render_template("attention/_groups.html", **_known()))


def _known() -> dict[str, object]:
    seen = overview.overview(attention_counts.get(), operator_name())
    return {
        "seen": seen,
        "counts": seen.counts,
        "removals": [status_of(enrolment) for enrolment in seen.removals],
        "refused": [lines.of_refused(enrolment) for enrolment in seen.refused],
        "troubles": [lines.of_trouble(trouble) for trouble in seen.counts.troubles[: overview.MOST_SHOWN]],
        "drift": [lines.of_drift(terminal) for terminal, _count in seen.counts.drift[: overview.MOST_SHOWN]],
        "operator": operator_name(),
        "round_for": lines.round_for,
    }
