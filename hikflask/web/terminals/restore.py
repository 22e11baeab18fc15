"""Bringing the people of a terminal to the device that took its place, or those of another terminal to this one."""

from http import HTTPStatus

from flask import Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hikflask.background import tasks
from hikflask.forms.fields import row_id
from hikflask.http.permissions import ADMIN, confirmed
from hikflask.labels.enrolments import status_of
from hikflask.messages import error_sentence
from hikflask.models import Terminal
from hikflask.services.core.errors import PlanChanged, ServiceError
from hikflask.services.provisioning import restore, without_face
from hikflask.services.terminals import registry
from hikflask.web.terminals.terminals import bp, terminal_or_404

# So many of those who must come to the camera are named; the round has all of them.
MAX_NAMES = 20


@bp.get("/<int:terminal_id>/restore")
@confirmed(ADMIN)
def ask_restore(terminal_id: int) -> ResponseReturnValue:
    """Show who would be brought by itself and who must come to the camera, and the other terminals to take over."""
    return _page(terminal_or_404(terminal_id))


@bp.post("/<int:terminal_id>/restore")
@confirmed(ADMIN)
def restore_people(terminal_id: int) -> ResponseReturnValue:
    """Bring everybody who was on the device before, as a job; or show what taking over another terminal would do."""
    terminal, source_id = terminal_or_404(terminal_id), row_id(request.form.get("source"))
    try:
        if source_id:
            source = registry.find_terminal(source_id) or abort(HTTPStatus.NOT_FOUND)
            job_id = restore.draft_from(source.id, terminal.id).id
        elif claim := restore.begin(terminal.id, request.form.get("shown")):
            tasks.enqueue_job(claim)
            job_id = claim.job_id
        else:
            flash(_("This was changed meanwhile. Look again, please."), "warning")
            return redirect(url_for(".show", terminal_id=terminal_id), 303)
    except PlanChanged as error:
        flash(error_sentence(error), "danger")
        return redirect(url_for(".ask_restore", terminal_id=terminal_id), 303)
    except ServiceError as error:
        flash(error_sentence(error, t=terminal.name), "danger")
        return redirect(url_for(".show", terminal_id=terminal_id), 303)
    return redirect(url_for("jobs.show", job_id=job_id), 303)


def _page(terminal: Terminal) -> Response:
    known = {
        "by_itself": without_face.count_by_itself(terminal),
        "to_camera": without_face.count(terminal),
        "lines": [status_of(one) for one in without_face.page(terminal, limit=MAX_NAMES)],
        "sources": restore.sources(terminal.id),
        "digest": restore.digest(terminal),
    }
    return make_response(render_template("terminals/restore.html", terminal=terminal, **known))
