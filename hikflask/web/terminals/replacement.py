"""What an administrator decides about a terminal whose device, or whose data here, are not the ones from before.

Bringing its people to the device that took its place, or those of another terminal to this one; one device under two
rows; and what the program may write after a restore from a backup.
"""

from http import HTTPStatus

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hikflask.background import tasks
from hikflask.forms.fields import row_id
from hikflask.http import terminal_concurrency
from hikflask.http.permissions import ADMIN, confirmed
from hikflask.labels.enrolments import status_of
from hikflask.messages import error_sentence
from hikflask.services.comparisons import after_restore
from hikflask.services.core import shown
from hikflask.services.core.errors import PlanChanged, ServiceError
from hikflask.services.provisioning import bring_people, same_device, without_face
from hikflask.services.terminals import registry
from hikflask.text_rules import isolated
from hikflask.web.security.current_operator import operator_name
from hikflask.web.terminals.checks import check_soon
from hikflask.web.terminals.terminals import bp, terminal_or_404

# How many of the people who must come to the camera are named; the enrolment session has all of them.
MAX_NAMES = 20


@bp.get("/<int:terminal_id>/restore")
@confirmed(ADMIN)
def ask_restore(terminal_id: int) -> ResponseReturnValue:
    """Show how many people would be brought without help, who must come to the camera, and the other terminals."""
    terminal = terminal_or_404(terminal_id)
    known = {
        "by_itself": without_face.count_by_itself(terminal),
        "to_camera": without_face.count(terminal),
        "lines": [status_of(row) for row in without_face.page(terminal, limit=MAX_NAMES)],
        "sources": bring_people.sources(terminal.id),
        "digest": bring_people.digest(terminal),
    }
    return render_template("terminals/restore.html", terminal=terminal, **known)


@bp.post("/<int:terminal_id>/restore")
@confirmed(ADMIN)
def restore_people(terminal_id: int) -> ResponseReturnValue:
    """Bring everybody who was on the device before, as a job; or show what taking over another terminal would do."""
    terminal, source_id = terminal_or_404(terminal_id), row_id(request.form.get("source"))
    try:
        if source_id:
            source = registry.find_terminal(source_id) or abort(HTTPStatus.NOT_FOUND)
            job_id = bring_people.draft_from(terminal.id, source.id).id
        elif claim := bring_people.begin(terminal.id, request.form.get("shown")):
            tasks.enqueue_job(claim)
            job_id = claim.job_id
        else:
            flash(_("This was changed meanwhile. Look again, please."), "warning")
            return redirect(url_for(".show", terminal_id=terminal_id), 303)
    except ServiceError as error:
        flash(error_sentence(error, t=terminal.name), "danger")
        page = ".ask_restore" if isinstance(error, PlanChanged) else ".show"
        return redirect(url_for(page, terminal_id=terminal_id), 303)
    return redirect(url_for("jobs.show", job_id=job_id), 303)


@bp.get("/<int:terminal_id>/same-device")
@confirmed(ADMIN)
def ask_same_device(terminal_id: int) -> ResponseReturnValue:
    """Say which two rows are one device, and what can be done about it."""
    terminal = terminal_or_404(terminal_id)
    other = same_device.known_as(terminal)
    if other is None:
        return redirect(url_for(".show", terminal_id=terminal_id))
    known = {
        "other": other,
        "swapped": same_device.is_swapped(terminal, other),
        "moved": same_device.old_and_new(terminal, other),
        "digest": same_device.digest(terminal, other),
    }
    return render_template("terminals/same_device.html", terminal=terminal, **known)


@bp.post("/<int:terminal_id>/same-device")
@confirmed(ADMIN)
def put_right(terminal_id: int) -> ResponseReturnValue:
    """Give the old row of the device the address of this one, which is dropped; or exchange the two addresses."""
    terminal = terminal_or_404(terminal_id)
    name, other = terminal.name, same_device.known_as(terminal)
    try:
        if other is None:
            raise ServiceError("terminal_unknown")
        shown.require_same(request.form.get("shown"), same_device.digest(terminal, other))
        with terminal_concurrency.slot():
            if same_device.is_swapped(terminal, other):
                same_device.swap(terminal.id, other.id, operator_name())
                check_soon(other.id)
                return check_soon(terminal_id)
            old, new = same_device.old_and_new(terminal, other) or (other, terminal)
            name = new.name
            moved = same_device.move(old.id, new.id, operator_name())
    except ServiceError as error:
        flash(error_sentence(error, t=name), "danger")
        page = ".ask_same_device" if isinstance(error, PlanChanged) else ".show"
        return redirect(url_for(page, terminal_id=terminal_id), 303)
    flash(_("“%(t)s” has the new address. “%(name)s” is deleted.", t=isolated(moved.name), name=isolated(name)))
    return check_soon(moved.id)


@bp.get("/<int:terminal_id>/after-restore")
@confirmed(ADMIN)
def ask_after_restore(terminal_id: int) -> ResponseReturnValue:
    """Show which people wait for a decision, and what begins once the program may write to the terminal."""
    terminal = terminal_or_404(terminal_id)
    if terminal.restored_from is None:
        return redirect(url_for(".show", terminal_id=terminal_id))
    found = after_restore.findings_of(terminal_id)
    return render_template("terminals/after_restore.html", terminal=terminal, found=found)


@bp.post("/<int:terminal_id>/after-restore")
@confirmed(ADMIN)
def allow_after_restore(terminal_id: int) -> ResponseReturnValue:
    """Allow the program to write to the terminal, as the administrator who saw that comparison decided."""
    terminal_or_404(terminal_id)
    if after_restore.allow(terminal_id, row_id(request.form.get("comparison")) or 0):
        return redirect(url_for("comparisons.show", terminal_id=terminal_id), 303)
    flash(_("This was changed meanwhile. Look again, please."), "warning")
    return redirect(url_for(".ask_after_restore", terminal_id=terminal_id), 303)
