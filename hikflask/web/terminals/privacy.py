"""Where a terminal sends events, what it keeps and shows: reading it now, clearing a destination, setting the rest."""

from collections.abc import Callable
from http import HTTPStatus

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hikflask.http import terminal_concurrency
from hikflask.http.permissions import ADMIN, OPERATOR, allow, confirmed
from hikflask.isapi.errors import TerminalError
from hikflask.messages import error_sentence
from hikflask.models import Terminal
from hikflask.services.core.errors import ServiceError
from hikflask.services.passages import terminal_privacy
from hikflask.services.passages.terminal_privacy import Destination
from hikflask.text_rules import isolated
from hikflask.web.security.current_operator import operator_name
from hikflask.web.terminals.terminals import bp, terminal_or_404


@bp.post("/<int:terminal_id>/privacy")
@allow(OPERATOR)
def read_privacy(terminal_id: int) -> ResponseReturnValue:
    """Read now where the terminal sends events, what it keeps and shows."""
    terminal = terminal_or_404(terminal_id)
    return _asked(terminal, lambda: terminal_privacy.read(terminal_id, operator_name(), by_hand=True), "")


@bp.post("/<int:terminal_id>/privacy/decisions")
@allow(ADMIN)
def apply_decisions(terminal_id: int) -> ResponseReturnValue:
    """Set what the terminal keeps and shows as it was decided."""
    terminal = terminal_or_404(terminal_id)
    done = _("“%(t)s” is set as decided.")
    return _asked(terminal, lambda: terminal_privacy.apply_decisions(terminal_id, operator_name()), done)


@bp.get("/<int:terminal_id>/destinations/<int:slot>")
@confirmed(ADMIN)
def ask_clear(terminal_id: int, slot: int) -> ResponseReturnValue:
    """Ask before the terminal stops to send events somewhere."""
    terminal = terminal_or_404(terminal_id)
    return render_template(
        "terminals/clear_destination.html", terminal=terminal, destination=_foreign(terminal_id, slot)
    )


@bp.post("/<int:terminal_id>/destinations/<int:slot>")
@confirmed(ADMIN)
def clear_destination(terminal_id: int, slot: int) -> ResponseReturnValue:
    """Let the terminal send nothing more to this destination."""
    terminal = terminal_or_404(terminal_id)
    shown = request.form.get("shown", "")
    done = _("“%(t)s” sends nothing there any more.")
    return _asked(terminal, lambda: terminal_privacy.clear(terminal_id, slot, shown, operator_name()), done)


def _foreign(terminal_id: int, slot: int) -> Destination:
    row = terminal_privacy.of(terminal_id)
    places = terminal_privacy.destinations(row) if row else []
    found = (place for place in places if place.slot == slot and not place.is_ours)
    return next(found, None) or abort(HTTPStatus.NOT_FOUND)


def _asked(terminal: Terminal, ask: Callable[[], object], success: str) -> ResponseReturnValue:
    terminal_id, name, address = terminal.id, terminal.name, terminal.url
    try:
        with terminal_concurrency.slot():
            ask()
    except (ServiceError, TerminalError) as error:
        flash(error_sentence(error, t=name, address=address), "danger")
    else:
        if success:
            flash(success % {"t": isolated(name)})
    return redirect(url_for(".show", terminal_id=terminal_id, _anchor="privacy"), 303)
