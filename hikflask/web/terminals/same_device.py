"""One device under two rows: giving its old row the new address, or exchanging the addresses of two terminals."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hikflask.http import terminal_concurrency
from hikflask.http.permissions import ADMIN, confirmed
from hikflask.messages import error_sentence
from hikflask.services.core import shown
from hikflask.services.core.errors import PlanChanged, ServiceError
from hikflask.services.provisioning import same_device
from hikflask.text_rules import isolated
from hikflask.web.security.current_operator import operator_name
from hikflask.web.terminals.checks import check_soon
from hikflask.web.terminals.terminals import bp, terminal_or_404


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
    except PlanChanged as error:
        flash(error_sentence(error), "danger")
        return redirect(url_for(".ask_same_device", terminal_id=terminal_id), 303)
    except ServiceError as error:
        flash(error_sentence(error, t=name), "danger")
        return redirect(url_for(".show", terminal_id=terminal_id), 303)
    flash(_("“%(t)s” has the new address. “%(name)s” is deleted.", t=isolated(moved.name), name=isolated(name)))
    return check_soon(moved.id)
