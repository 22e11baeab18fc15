"""Adding and changing a terminal, and accepting its certificate's fingerprint."""

from functools import partial
from http import HTTPStatus

from flask import Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from hikflask.background import tasks
from hikflask.forms.fields import row_id
from hikflask.forms.terminals import TerminalForm, TerminalPageForm
from hikflask.forms.versions import ChangedMeanwhile
from hikflask.http import terminal_concurrency
from hikflask.http.permissions import ADMIN, confirmed
from hikflask.isapi.errors import AddressRefused, TerminalError
from hikflask.messages import error_sentence
from hikflask.models import Terminal
from hikflask.services.core.errors import ServiceError
from hikflask.services.groups import changing
from hikflask.services.terminals import allowed_addresses, registry
from hikflask.services.terminals.registry import Access
from hikflask.web.security import resubmission
from hikflask.web.security.current_operator import operator_name
from hikflask.web.support.notices import conflict, flash_kept_fields
from hikflask.web.support.responses import refuse
from hikflask.web.terminals.checks import check_soon
from hikflask.web.terminals.terminals import bp, terminal_or_404


@bp.get("/new")
@confirmed(ADMIN)
def new() -> ResponseReturnValue:
    """An empty form."""
    return _form(TerminalForm(formdata=None, is_active=True))


@bp.post("/")
@confirmed(ADMIN)
def create() -> ResponseReturnValue:
    """Add a terminal and check it; it is added even when it does not answer."""
    form = TerminalForm()
    if form.needs_fingerprint:
        return _with_fingerprint(form)
    if not form.validate():
        return _form(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        terminal = registry.add(Access(**form.values()))
    except ServiceError as error:
        return _refused(form, error)
    return check_soon(terminal.id)


@bp.post("/fingerprint")
@confirmed(ADMIN)
def fingerprint() -> ResponseReturnValue:
    """Show the certificate's fingerprint in the form; the operator compares it, and accepts it by saving."""
    terminal = registry.find_terminal(row_id(request.form.get("terminal_id")) or 0)
    return _with_fingerprint(TerminalPageForm(adding=terminal is None), terminal)


@bp.get("/<int:terminal_id>/edit")
@confirmed(ADMIN)
def edit(terminal_id: int) -> ResponseReturnValue:
    """The form of a terminal, without its password; with `?focus=password` that field has the focus."""
    terminal = terminal_or_404(terminal_id)
    form = _as_saved(terminal)
    form.to_correct = request.args.get("focus", "")
    return _form(form, terminal)


@bp.post("/<int:terminal_id>")
@confirmed(ADMIN)
def update(terminal_id: int) -> ResponseReturnValue:
    """Change what was changed in the form of a terminal; with an empty password the stored one is kept."""
    terminal = terminal_or_404(terminal_id)
    form = TerminalPageForm(adding=False)
    if form.needs_fingerprint:
        return _with_fingerprint(form, terminal)
    if not form.validate():
        return _form(form, terminal, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        flash_kept_fields(form, form.merge_saved(_as_saved(terminal)))
        with terminal_concurrency.slot():
            registry.change(
                terminal_id,
                Access(**form.values()),
                operator_name(),
                fields=form.changed(),
                require=lambda: form.merge_saved(_as_saved(terminal_or_404(terminal_id))),
                in_use_again=partial(changing.bring_to, enqueue=tasks.enqueue_job),
            )
    except ChangedMeanwhile as error:
        form.password.errors = [_("Enter the password again, please.")] if form.password.data else []
        return _form(form, terminal, HTTPStatus.CONFLICT, **conflict(form, error.differences))
    except ServiceError as error:
        return _refused(form, error, terminal)
    return check_soon(terminal_id)


@resubmission.restores("terminals.create", "terminals.update", "terminals.fingerprint")
def typed_again(fields: MultiDict[str, str], terminal_id: int | None = None) -> Response:
    """Show the form again as it was typed, except the password, which is never sent back."""
    terminal = registry.find_terminal(terminal_id or row_id(fields.get("terminal_id")) or 0)
    form = TerminalPageForm(formdata=fields, adding=terminal is None)
    form.password.errors = [_("Enter the password again, please.")] if form.password.name in fields else []
    return _form(form, terminal)


def _as_saved(terminal: Terminal) -> TerminalPageForm:
    """Return the form of a terminal as it is saved now, with its version."""
    return TerminalPageForm(formdata=None, obj=terminal, password="", adding=False).as_saved()


def _form(
    form: TerminalForm, terminal: Terminal | None = None, status: int = HTTPStatus.OK, **about: object
) -> Response:
    return make_response(render_template("terminals/form.html", form=form, terminal=terminal, **about), status)


def _refused(form: TerminalForm, error: ServiceError, terminal: Terminal | None = None) -> Response:
    field = form[error.fields[0]] if error.fields and error.fields[0] in form else form.url
    return _form(form, terminal, refuse(field, error))


def _with_fingerprint(form: TerminalForm, terminal: Terminal | None = None) -> Response:
    """Answer the form with the fingerprint of the certificate at its address; the password must be typed again."""
    form.validate()
    if form.url.errors:
        return _form(form, terminal, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        with terminal_concurrency.slot():
            form.fingerprint.data = registry.shown_fingerprint(form.url.data)
    except ServiceError as error:
        return _refused(form, error, terminal)
    except AddressRefused:
        form.url.errors = [error_sentence(allowed_addresses.refusal_of(form.url.data))]
        return _form(form, terminal, HTTPStatus.UNPROCESSABLE_ENTITY)
    except (TerminalError, ValueError):
        form.fingerprint.errors = [_("No certificate is shown at this address: is it an https address, is it on?")]
        return _form(form, terminal, HTTPStatus.UNPROCESSABLE_ENTITY)
    form.fingerprint.errors = [_("Compare this with the certificate of the terminal; saving accepts it.")]
    if terminal and registry.leads_elsewhere(terminal, form.url.data, form.fingerprint.data):
        form.password.errors = [error_sentence(ServiceError("terminal_password_needed"))]
    elif form.adding or form.password.data:
        form.password.errors = [_("Enter the password again, please.")]
    return _form(form, terminal, HTTPStatus.UNPROCESSABLE_ENTITY, accepting=True)
