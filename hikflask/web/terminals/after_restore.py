"""After a restore from a backup: what the comparison found, and an administrator's word that lets the program write."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hikflask.forms.fields import row_id
from hikflask.http.permissions import ADMIN, confirmed
from hikflask.services.comparisons import after_restore
from hikflask.web.terminals.terminals import bp, terminal_or_404


@bp.get("/<int:terminal_id>/after-restore")
@confirmed(ADMIN)
def ask_after_restore(terminal_id: int) -> ResponseReturnValue:
    """Show who waits for a decision, and what begins once the program may write to the terminal."""
    terminal = terminal_or_404(terminal_id)
    if terminal.restored_from is None:
        return redirect(url_for(".show", terminal_id=terminal_id))
    found = after_restore.found(terminal_id)
    return render_template("terminals/after_restore.html", terminal=terminal, found=found)


@bp.post("/<int:terminal_id>/after-restore")
@confirmed(ADMIN)
def allow_after_restore(terminal_id: int) -> ResponseReturnValue:
    """Let the program write to the terminal, as the administrator who saw that comparison decided."""
    terminal_or_404(terminal_id)
    if after_restore.allow(terminal_id, row_id(request.form.get("comparison")) or 0):
        return redirect(url_for("comparisons.show", terminal_id=terminal_id), 303)
    flash(_("This was changed meanwhile. Look again, please."), "warning")
    return redirect(url_for(".ask_after_restore", terminal_id=terminal_id), 303)
