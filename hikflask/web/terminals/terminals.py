"""Terminals: list, add, change, check, delete."""

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from hikflask.background import tasks
from hikflask.extensions import task_queue
from hikflask.forms.fields import row_id
from hikflask.forms.terminals import RetireForm, TerminalForm
from hikflask.http import terminal_concurrency
from hikflask.http.permissions import ADMIN, OPERATOR, VIEWER, allow, confirmed
from hikflask.invisible_characters import isolated
from hikflask.isapi.errors import AddressRefused, TerminalError
from hikflask.models import Terminal
from hikflask.services.core.errors import LoginStopped, ServiceError, TerminalPasswordNeeded
from hikflask.services.enrolments.retire_terminal import count_numbers_on, retire_terminal
from hikflask.services.terminals import checks, connection, registry
from hikflask.services.terminals.registry import Access
from hikflask.web.error_pages import said, status_of
from hikflask.web.security import resubmission
from hikflask.web.security.current_operator import present_operator
from hikflask.web.template_context import with_alarm

bp = Blueprint("terminals", __name__, url_prefix="/terminals")

UNPROCESSABLE = 422


@bp.get("/")
@allow(VIEWER)
def index() -> ResponseReturnValue:
    """All terminals by name."""
    return render_template("terminals/list.html", terminals=registry.everyone())


@bp.get("/new")
@confirmed(ADMIN)
def new() -> ResponseReturnValue:
    """An empty form."""
    return _form(TerminalForm(formdata=None, is_active=True))


@bp.post("/")
@confirmed(ADMIN)
def create() -> ResponseReturnValue:
    """Add a terminal and ask it what it can; one that is away is added all the same."""
    form = TerminalForm()
    if form.needs_fingerprint:
        return _with_fingerprint(form)
    if not form.validate():
        return _form(form, status=UNPROCESSABLE)
    try:
        terminal = registry.add(Access(**form.values()))
    except ServiceError as error:
        return _refused(form, error)
    return _checked_soon(terminal.id)


@bp.post("/fingerprint")
@confirmed(ADMIN)
def fingerprint() -> ResponseReturnValue:
    """Show the certificate's fingerprint in the form, for a person to compare and accept by saving."""
    terminal = registry.get(row_id(request.form.get("terminal_id")) or 0)
    return _with_fingerprint(TerminalForm(adding=terminal is None), terminal)


@bp.get("/file-warning")
@allow(OPERATOR)
def file_warning() -> ResponseReturnValue:
    """Whether the selected terminal takes a photo by file, and how long a name."""
    terminal = registry.get(row_id(request.args.get("terminal_id")) or 0)
    return render_template("terminals/_limits.html", terminal=terminal)


@bp.get("/<int:terminal_id>")
@allow(VIEWER)
def show(terminal_id: int) -> ResponseReturnValue:
    """One terminal, with what its last check found."""
    return _shown(terminal_id)


@bp.get("/<int:terminal_id>/state")
@allow(VIEWER, counts=False)
def state(terminal_id: int) -> ResponseReturnValue:
    """The part of the page that asks again by itself while the terminal is checked."""
    return with_alarm(_shown(terminal_id, fragment=True))


@bp.get("/<int:terminal_id>/edit")
@confirmed(ADMIN)
def edit(terminal_id: int) -> ResponseReturnValue:
    """The form of a terminal, without its password."""
    terminal = _terminal(terminal_id)
    return _form(TerminalForm(formdata=None, obj=terminal, password="", adding=False), terminal)


@bp.post("/<int:terminal_id>")
@confirmed(ADMIN)
def update(terminal_id: int) -> ResponseReturnValue:
    """Change a terminal; an empty password keeps the stored one."""
    terminal = _terminal(terminal_id)
    form = TerminalForm(adding=False)
    if form.needs_fingerprint:
        return _with_fingerprint(form, terminal)
    if not form.validate():
        return _form(form, terminal, UNPROCESSABLE)
    try:
        with terminal_concurrency.place():
            registry.change(terminal_id, Access(**form.values()), present_operator())
    except ServiceError as error:
        return _refused(form, error, terminal)
    return _checked_soon(terminal_id)


@bp.post("/<int:terminal_id>/check")
@allow(OPERATOR)
def check(terminal_id: int) -> ResponseReturnValue:
    """Ask the terminal everything now."""
    terminal = _terminal(terminal_id)
    try:
        with terminal_concurrency.place():
            checks.check(terminal_id, present_operator())
    except (ServiceError, TerminalError) as error:
        terminal = _terminal(terminal_id)
        # Those the page shows as long as they last.
        lasting = error.code in {terminal.last_error_code, terminal.refused_code}
        sentence = _lasting(error) if lasting else said(error, t=terminal.name, address=terminal.url)
        flash(sentence, "warning" if lasting else "danger")
    else:
        flash(_("Checked: “%(t)s” answers and takes the password.", t=isolated(terminal.name)))
    return redirect(url_for(".show", terminal_id=terminal_id), 303)


@bp.post("/<int:terminal_id>/try-once")
@allow(ADMIN)
def try_once(terminal_id: int) -> ResponseReturnValue:
    """Try the stored password once more; another refusal stops every conversation anew."""
    if registry.allow_once(_terminal(terminal_id).id):
        return check(terminal_id)
    flash(_("This password was tried again already, or the account is locked. Correct the password."), "danger")
    return redirect(url_for(".show", terminal_id=terminal_id), 303)


@bp.get("/<int:terminal_id>/retire")
@confirmed(ADMIN)
def ask_retire(terminal_id: int) -> ResponseReturnValue:
    """Ask what became of a terminal before it is out of service for good."""
    return _retire_form(_terminal(terminal_id), RetireForm(formdata=None))


@bp.post("/<int:terminal_id>/retire")
@confirmed(ADMIN)
def retire(terminal_id: int) -> ResponseReturnValue:
    """Take a terminal out of service for good: what it does not confirm any more ends by this word."""
    terminal, form = _terminal(terminal_id), RetireForm()
    if not form.validate():
        return _retire_form(terminal, form, UNPROCESSABLE)
    try:
        with terminal_concurrency.place():
            retire_terminal(terminal_id, form.note.data, present_operator())
    except ServiceError as error:
        form.note.errors = [said(error)]
        return _retire_form(terminal, form, status_of(error))
    return redirect(url_for(".show", terminal_id=terminal_id), 303)


@resubmission.restores("terminals.retire")
def retire_typed_again(fields: MultiDict[str, str], terminal_id: int) -> ResponseReturnValue:
    """Answer the form that came when nobody was signed in any more."""
    return _retire_form(_terminal(terminal_id), RetireForm(formdata=fields))


@bp.get("/<int:terminal_id>/delete")
@confirmed(ADMIN)
def ask_delete(terminal_id: int) -> ResponseReturnValue:
    """Ask before a terminal is deleted."""
    return render_template("terminals/delete.html", terminal=_terminal(terminal_id))


@bp.post("/<int:terminal_id>/delete")
@confirmed(ADMIN)
def delete(terminal_id: int) -> ResponseReturnValue:
    """Delete a terminal that nobody is enrolled on."""
    terminal = _terminal(terminal_id)
    name = terminal.name
    try:
        registry.delete(terminal_id, present_operator())
    except ServiceError as error:
        body = render_template("terminals/delete.html", terminal=terminal, problem=said(error))
        return make_response(body, status_of(error))
    flash(_("%(name)s is deleted.", name=isolated(name)))
    return redirect(url_for(".index"), 303)


@resubmission.restores("terminals.create", "terminals.update", "terminals.fingerprint")
def typed_again(fields: MultiDict[str, str], terminal_id: int | None = None) -> Response:
    """Answer the form as it was typed, but for the password, which is never sent back."""
    terminal = registry.get(terminal_id or row_id(fields.get("terminal_id")) or 0)
    form = TerminalForm(formdata=fields, adding=terminal is None)
    form.password.errors = [_("Enter the password again, please.")] if form.password.name in fields else []
    return _form(form, terminal)


def _lasting(error: ServiceError | TerminalError) -> str:
    """What is said of a check that ended with what the page says anyway."""
    if isinstance(error, LoginStopped):
        return str(_("The terminal was not asked: the reason stands below."))
    return str(_("Checked just now: what is wrong stands below."))


def _checked_soon(terminal_id: int) -> ResponseReturnValue:
    """Go to the terminal's page, which waits for the check."""
    checks.expect(terminal_id)
    task_queue.enqueue(tasks.check_terminal, terminal_id)
    return redirect(url_for(".show", terminal_id=terminal_id), 303)


def _shown(terminal_id: int, *, fragment: bool = False) -> str:
    terminal = _terminal(terminal_id)
    known = {"locked_minutes": connection.locked_minutes(terminal), "checking": checks.is_running(terminal)}
    return render_template("terminals/show.html", terminal=terminal, fragment=fragment, **known)


def _terminal(terminal_id: int) -> Terminal:
    return registry.get(terminal_id) or abort(404)


def _retire_form(terminal: Terminal, form: RetireForm, status: int = 200) -> Response:
    on_it = count_numbers_on(terminal.id)
    body = render_template("terminals/retire.html", terminal=terminal, form=form, on_it=on_it)
    return make_response(body, status)


def _form(form: TerminalForm, terminal: Terminal | None = None, status: int = 200, accepting: bool = False) -> Response:
    body = render_template("terminals/form.html", form=form, terminal=terminal, accepting=accepting)
    return make_response(body, status)


def _refused(form: TerminalForm, error: ServiceError, terminal: Terminal | None = None) -> Response:
    field = form[error.fields[0]] if error.fields and error.fields[0] in form else form.url
    field.errors = [*field.errors, said(error)]
    return _form(form, terminal, status_of(error))


def _with_fingerprint(form: TerminalForm, terminal: Terminal | None = None) -> Response:
    """Answer the form with the fingerprint that the address shows now; the password must be typed again."""
    form.validate()
    if form.url.errors:
        return _form(form, terminal, UNPROCESSABLE)
    try:
        with terminal_concurrency.place():
            form.fingerprint.data = registry.shown_fingerprint(form.url.data)
    except ServiceError as error:
        return _refused(form, error, terminal)
    except AddressRefused as error:
        form.url.errors = [said(error)]
        return _form(form, terminal, UNPROCESSABLE)
    except (TerminalError, ValueError):
        form.fingerprint.errors = [_("No certificate is shown at this address: is it an https address, is it on?")]
        return _form(form, terminal, UNPROCESSABLE)
    form.fingerprint.errors = [_("Compare this with the certificate of the terminal; saving accepts it.")]
    form.password.errors = _password_again(form, terminal)
    return _form(form, terminal, UNPROCESSABLE, accepting=True)


def _password_again(form: TerminalForm, terminal: Terminal | None) -> list[str]:
    if terminal and registry.leads_elsewhere(terminal, form.url.data, form.fingerprint.data):
        return [said(TerminalPasswordNeeded())]
    return [_("Enter the password again, please.")] if form.adding or form.password.data else []
