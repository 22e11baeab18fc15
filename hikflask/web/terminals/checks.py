"""Checking a terminal now or in the background, and one more attempt with its password."""

from collections.abc import Callable

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hikflask.background import tasks
from hikflask.extensions import task_queue
from hikflask.http import terminal_concurrency
from hikflask.http.permissions import ADMIN, OPERATOR, allow
from hikflask.isapi.errors import RestartRequired, TerminalError
from hikflask.messages import error_sentence
from hikflask.services.core.errors import LoginStopped, ServiceError
from hikflask.services.provisioning import same_device
from hikflask.services.terminals import checks, clock, registry
from hikflask.text_rules import isolated
from hikflask.web.security.current_operator import operator_name
from hikflask.web.support.urls import next_or
from hikflask.web.terminals.terminals import bp, terminal_or_404


@bp.post("/<int:terminal_id>/check")
@allow(OPERATOR)
def check(terminal_id: int) -> ResponseReturnValue:
    """Check the terminal now, and tell what went wrong."""
    return _ask(terminal_id, _check, _("Checked: “%(t)s” answers and takes the password."))


@bp.post("/<int:terminal_id>/clock")
@allow(OPERATOR)
def set_clock(terminal_id: int) -> ResponseReturnValue:
    """Set the terminal's clock and zone now, and tell what went wrong."""
    return _ask(terminal_id, clock.set_clock, _("Clock and time zone of “%(t)s” are set."))


def _check(terminal_id: int, holder: str) -> None:
    """Check a terminal, and then the one that its device is, or was, too: perhaps two were swapped."""
    if other := same_device.known_as(checks.check(terminal_id, holder)):
        task_queue.enqueue(tasks.check_terminal, other.id)


def _ask(terminal_id: int, ask: Callable[[int, str], object], success: str) -> ResponseReturnValue:
    terminal = terminal_or_404(terminal_id)
    try:
        with terminal_concurrency.slot():
            ask(terminal_id, operator_name())
    except (ServiceError, TerminalError) as error:
        terminal = terminal_or_404(terminal_id)
        # The page shows these by itself as long as they last.
        if error.code not in {terminal.last_error_code, terminal.refused_code}:
            sentence = error_sentence(error, t=terminal.name, address=terminal.url)
            flash(sentence, "warning" if isinstance(error, RestartRequired) else "danger")
        elif isinstance(error, LoginStopped):
            flash(_("The terminal was not asked: the reason stands below."), "warning")
        else:
            flash(_("The check failed; the reason is below."), "warning")
    else:
        flash(success % {"t": isolated(terminal.name)})
    return redirect(next_or(url_for(".show", terminal_id=terminal_id)), 303)


@bp.post("/<int:terminal_id>/try-once")
@allow(ADMIN)
def try_once(terminal_id: int) -> ResponseReturnValue:
    """Try the stored password once more; another refusal stops all requests to the terminal again."""
    if registry.allow_once(terminal_or_404(terminal_id).id):
        return check(terminal_id)
    flash(_("This password was tried again already, or the account is locked. Correct the password."), "danger")
    return redirect(url_for(".show", terminal_id=terminal_id), 303)


def check_soon(terminal_id: int) -> ResponseReturnValue:
    """Queue a check of the terminal, and go to its page, which shows the result."""
    checks.expect(terminal_id)
    task_queue.enqueue(tasks.check_terminal, terminal_id)
    return redirect(url_for(".show", terminal_id=terminal_id), 303)
