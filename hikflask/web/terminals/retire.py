"""Taking a terminal out of service for good, and deleting one on which nobody is enrolled."""

from http import HTTPStatus

from flask import Response, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from hikflask.forms.terminals import RetireForm
from hikflask.http import terminal_concurrency
from hikflask.http.permissions import ADMIN, confirmed
from hikflask.messages import error_sentence
from hikflask.models import Terminal
from hikflask.services.core import shown
from hikflask.services.core.errors import ServiceError
from hikflask.services.enrolments.retire_terminal import count_numbers_on, digest, retire_terminal
from hikflask.services.terminals import registry
from hikflask.text_rules import isolated
from hikflask.web.security import resubmission
from hikflask.web.security.current_operator import operator_name
from hikflask.web.support.responses import refuse
from hikflask.web.terminals.terminals import bp, terminal_or_404


@bp.get("/<int:terminal_id>/delete")
@confirmed(ADMIN)
def ask_delete(terminal_id: int) -> ResponseReturnValue:
    """Ask before a terminal is deleted."""
    return render_template("terminals/delete.html", terminal=terminal_or_404(terminal_id))


@bp.post("/<int:terminal_id>/delete")
@confirmed(ADMIN)
def delete(terminal_id: int) -> ResponseReturnValue:
    """Delete a terminal on which nobody is enrolled."""
    terminal = terminal_or_404(terminal_id)
    name = terminal.name
    try:
        registry.delete(terminal_id, operator_name())
    except ServiceError as error:
        body = render_template("terminals/delete.html", terminal=terminal, problem=error_sentence(error))
        return make_response(body, error.meaning.page_status)
    flash(_("%(name)s is deleted.", name=isolated(name)))
    return redirect(url_for(".index"), 303)


@bp.get("/<int:terminal_id>/retire")
@confirmed(ADMIN)
def ask_retire(terminal_id: int) -> ResponseReturnValue:
    """Ask what became of a terminal before it is taken out of service for good."""
    return _form(terminal_or_404(terminal_id), RetireForm(formdata=None))


@bp.post("/<int:terminal_id>/retire")
@confirmed(ADMIN)
def retire(terminal_id: int) -> ResponseReturnValue:
    """Take a terminal out of service for good; removals that it cannot confirm end by the administrator's word."""
    terminal, form = terminal_or_404(terminal_id), RetireForm()
    if not form.validate():
        return _form(terminal, form, HTTPStatus.UNPROCESSABLE_ENTITY)

    def require() -> None:
        shown.require_same(form.shown.data, digest(terminal_or_404(terminal_id)))

    try:
        with terminal_concurrency.slot():
            retire_terminal(terminal_id, form.note.data, operator_name(), require)
    except ServiceError as error:
        return _form(terminal, form, refuse(form.note, error))
    return redirect(url_for(".show", terminal_id=terminal_id), 303)


@resubmission.restores("terminals.retire")
def typed_again(fields: MultiDict[str, str], terminal_id: int) -> ResponseReturnValue:
    """Show the form again as it was typed."""
    return _form(terminal_or_404(terminal_id), RetireForm(formdata=fields))


def _form(terminal: Terminal, form: RetireForm, status: int = 200) -> Response:
    known = {"on_it": count_numbers_on(terminal.id), "digest": digest(terminal)}
    return make_response(render_template("terminals/retire.html", terminal=terminal, form=form, **known), status)
