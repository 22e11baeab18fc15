"""`flask --app wsgi terminal …`: add a terminal, check one, list them."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_babel import force_locale
from werkzeug.datastructures import MultiDict

from hikflask import messages
from hikflask.background import tasks
from hikflask.cli.database import DatabaseGroup
from hikflask.cli.input import read_password
from hikflask.cli.tables import moment, table
from hikflask.forms.fields import LARGEST_ID
from hikflask.forms.terminals import TerminalForm
from hikflask.isapi.errors import TerminalError
from hikflask.labels.comparisons import KINDS_OF_PERSONS
from hikflask.models import Comparison, Terminal
from hikflask.services import audit
from hikflask.services.comparisons import queries, reading
from hikflask.services.core.errors import ServiceError
from hikflask.services.groups import changing
from hikflask.services.terminals import checks, registry

HOLDER = audit.COMMAND_LINE.name
# Nobody waits for a page here.
COMPARE_SECONDS = 3600.0


@click.group(cls=DatabaseGroup)
def terminal() -> None:
    """Face terminals."""


@terminal.command("add")
@click.argument("name")
@click.argument("url")
@click.argument("username")
@click.option("--fingerprint", help="SHA-256 of the terminal's certificate (https).")
@click.option("--password-stdin", is_flag=True, help="Read the terminal's password from standard input.")
@click.option("--replace", is_flag=True, help="Change the terminal of this name, if there is one.")
@with_appcontext
def add_terminal(
    name: str, url: str, username: str, fingerprint: str | None, password_stdin: bool, replace: bool
) -> None:
    """Add a terminal and check it; one that does not answer now is added all the same."""
    typed = {"name": name, "url": url, "username": username, "fingerprint": fingerprint or ""}
    _refuse_bad(typed)
    access = _access({**typed, "password": read_password(password_stdin)})
    known = registry.find_by_name(access.name) if replace else None
    # The mark for photo files stays, and so does the pin of the same address, unless one is given, or an empty one.
    fields = {"name", "url", "username", "is_active"}
    if known and (fingerprint is not None or access.url != known.url):
        fields.add("fingerprint")
    try:
        with audit.acting(audit.COMMAND_LINE):
            bring = partial(changing.bring_to, start=tasks.apply_groups)
            added = (
                registry.change(known.id, access, HOLDER, fields=fields, in_use_again=bring)
                if known
                else registry.add(access)
            )
    except ServiceError as error:
        raise click.ClickException(messages.english(error.code, **error.params)) from error
    click.echo(f"Terminal {added.id} “{added.name}” {'changed' if known else 'added'}.")
    click.echo(_checked(added.id))


@terminal.command("check")
@click.argument("terminal_id", type=click.IntRange(1, LARGEST_ID))
@with_appcontext
def check_terminal(terminal_id: int) -> None:
    """Ask a terminal whether it can be reached and what it can do."""
    if registry.get(terminal_id) is None:
        raise click.ClickException(f"There is no terminal {terminal_id}.")
    try:
        click.echo(_described(_check(terminal_id)))
    except (TerminalError, ServiceError) as error:
        raise click.ClickException(_why(terminal_id, error)) from error


@terminal.command("compare")
@click.argument("terminal_id", type=click.IntRange(1, LARGEST_ID))
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, in one line.")
@with_appcontext
def compare_terminal(terminal_id: int, as_json: bool) -> None:
    """Compare everybody on a terminal with what is desired there, and list the differences."""
    if registry.get(terminal_id) is None:
        raise click.ClickException(f"There is no terminal {terminal_id}.")
    try:
        with audit.acting(audit.COMMAND_LINE):
            done = reading.read_to_end(terminal_id, HOLDER, COMPARE_SECONDS)
    except (TerminalError, ServiceError) as error:
        raise click.ClickException(_why(terminal_id, error)) from error
    found = queries.numbers(done)
    warning = {"warning": messages.english("list_leaves_out")} if done.people is None else {}
    click.echo(json.dumps({"same": done.same, **found, **warning}) if as_json else _differences(done, found))


def _differences(done: Comparison, found: Mapping[str, list[str]]) -> str:
    counted = [f"{done.read} on the terminal, {done.same} the same here and there."]
    if done.people is None:
        counted = [messages.english("list_leaves_out"), f"{done.same} the same here and there."]
    listed = [
        f"{KINDS_OF_PERSONS[kind]} ({len(numbers)}): {', '.join(numbers)}" for kind, numbers in found.items() if numbers
    ]
    alone = queries.count_left_alone(done)
    left = [f"Left alone: {alone}"] if alone else []
    return "\n".join([*counted, *(listed or ["No differences."]), *left])


@terminal.command("list")
@with_appcontext
def list_terminals() -> None:
    """List the terminals: number, state as the last check found it, when that was, address and account."""
    head = ("ID", "NAME", "STATE", "LAST CHECK", "ADDRESS", "ACCOUNT")
    rows = [
        (str(one.id), one.name, _state(one), moment(one.checked_at), one.url, one.username)
        for one in registry.list_all()
    ]
    click.echo(table(head, rows))


def _state(found: Terminal) -> str:
    if not found.is_active:
        return "not in use"
    if found.refused_since:
        return "password refused"
    if found.reachable is None:
        return "not checked"
    return "reachable" if found.reachable else "does not answer"


def _refuse_bad(typed: dict[str, str]) -> None:
    """Refuse wrong arguments before the password is asked for."""
    _values(typed, adding=False)


def _access(typed: dict[str, str]) -> registry.Access:
    return registry.Access(**_values(typed, adding=True))


def _values(typed: dict[str, str], *, adding: bool) -> dict[str, Any]:
    with current_app.test_request_context(), force_locale("en"):
        formdata = MultiDict({**typed, "is_active": "true"})
        form = TerminalForm(formdata=formdata, meta={"csrf": False}, adding=adding)
        if form.validate():
            return form.values()
        problems = "; ".join(f"{field}: {', '.join(map(str, errors))}" for field, errors in form.errors.items())
        raise click.ClickException(problems)


def _checked(terminal_id: int) -> str:
    try:
        return _described(_check(terminal_id))
    except (TerminalError, ServiceError) as error:
        return f"Not checked yet: {_why(terminal_id, error)}"


def _check(terminal_id: int) -> Terminal:
    with audit.acting(audit.COMMAND_LINE):
        return checks.check(terminal_id, HOLDER)


def _why(terminal_id: int, error: TerminalError | ServiceError) -> str:
    found = registry.get(terminal_id)
    params = error.params if isinstance(error, ServiceError) else {"text": error.text}
    if found:
        params = {"t": found.name, "address": found.url, **params}
    return messages.english(error.code, **params)


def _described(found: Terminal) -> str:
    people, faces = _of(found.people, found.people_capacity), _of(found.faces, found.face_capacity)
    modes = f"capture {found.capture_mode}, face by {found.face_mode}"
    return f"{found.model} {found.firmware}: {modes}, people {people}, faces {faces}"


def _of(count: int | None, capacity: int | None) -> str:
    """Return "3 of 1000", with a question mark for what the terminal does not tell."""
    return f"{'?' if count is None else count} of {capacity or '?'}"
