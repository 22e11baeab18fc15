"""Opening the door of a terminal, for a reason."""

from http import HTTPStatus

from flask import flash, make_response, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from hikflask.forms.terminals import DoorPageForm
from hikflask.http import terminal_concurrency
from hikflask.http.permissions import OPERATOR, allow
from hikflask.isapi.errors import TerminalError
from hikflask.labels.terminals import opening_sentence
from hikflask.messages import error_sentence
from hikflask.services.core.errors import ServiceError
from hikflask.services.terminals import door
from hikflask.web.security import current_operator, resubmission
from hikflask.web.security.current_operator import operator_name
from hikflask.web.terminals.terminals import bp, page, terminal_or_404


@bp.post("/<int:terminal_id>/open-door")
@allow(OPERATOR)
def open_door(terminal_id: int) -> ResponseReturnValue:
    """Let the terminal open its door once, and tell what came of it; the setting says who may."""
    terminal, form = terminal_or_404(terminal_id), DoorPageForm()
    if not form.validate():
        return page(terminal_id, door_form=form), HTTPStatus.UNPROCESSABLE_ENTITY
    try:
        with terminal_concurrency.slot():
            outcome = door.open_door(
                terminal_id,
                form.reason.data,
                operator_name(),
                current_operator.may,
                call_key=door.key_of("page", form.press.data) if form.press.data else None,
            )
    except (ServiceError, TerminalError) as error:
        flash(error_sentence(error, t=terminal.name, address=terminal.url), "danger")
    else:
        flash(opening_sentence(terminal.name, outcome), "success" if outcome.opened else "warning")
        if outcome.is_repeated:
            flash(_("This was sent once, and not again. Press the button below to open the door once more."), "warning")
    return redirect(url_for(".show", terminal_id=terminal_id, _anchor="door"), 303)


@resubmission.restores("terminals.open_door")
def typed_again(fields: MultiDict[str, str], terminal_id: int) -> ResponseReturnValue:
    """Show the page again with the reason as it was typed."""
    return make_response(page(terminal_id, door_form=DoorPageForm(formdata=fields)))
