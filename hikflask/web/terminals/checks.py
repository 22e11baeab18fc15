"""Checking a terminal now or in the background, and trying its password once more."""

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hikflask.background import tasks
from hikflask.extensions import task_queue
from hikflask.http import terminal_concurrency
from hikflask.http.permissions import ADMIN, OPERATOR, allow
from hikflask.invisible_characters import isolated
from hikflask.isapi.errors import TerminalError
from hikflask.services.core.errors import LoginStopped, ServiceError
from hikflask.services.terminals import checks, registry
from hikflask.web.security.current_operator import present_operator
from hikflask.web.support.messages import error_sentence
from hikflask.web.terminals.terminals import bp, terminal_or_404


@bp.post("/<int:terminal_id>/check")
@allow(OPERATOR)
def check(terminal_id: int) -> ResponseReturnValue:
    """Ask the terminal everything now."""
    terminal = terminal_or_404(terminal_id)
    try:
        with terminal_concurrency.place():
            checks.check(terminal_id, present_operator())
    except (ServiceError, TerminalError) as error:
        terminal = terminal_or_404(terminal_id)
        # Those the page shows as long as they last.
        lasting = error.code in {terminal.last_error_code, terminal.refused_code}
        sentence = _lasting(error) if lasting else error_sentence(error, t=terminal.name, address=terminal.url)
        flash(sentence, "warning" if lasting else "danger")
    else:
        flash(_("Checked: “%(t)s” answers and takes the password.", t=isolated(terminal.name)))
    return redirect(url_for(".show", terminal_id=terminal_id), 303)


@bp.post("/<int:terminal_id>/try-once")
@allow(ADMIN)
def try_once(terminal_id: int) -> ResponseReturnValue:
    """Try the stored password once more; another refusal stops every conversation anew."""
    if registry.allow_once(terminal_or_404(terminal_id).id):
        return check(terminal_id)
    flash(_("This password was tried again already, or the account is locked. Correct the password."), "danger")
    return redirect(url_for(".show", terminal_id=terminal_id), 303)


def _lasting(error: ServiceError | TerminalError) -> str:
    """What is said of a check that ended with what the page says anyway."""
    if isinstance(error, LoginStopped):
        return str(_("The terminal was not asked: the reason stands below."))
    return str(_("Checked just now: what is wrong stands below."))


def check_soon(terminal_id: int) -> ResponseReturnValue:
    """Go to the terminal's page, which waits for the check."""
    checks.expect(terminal_id)
    task_queue.enqueue(tasks.check_terminal, terminal_id)
    return redirect(url_for(".show", terminal_id=terminal_id), 303)
