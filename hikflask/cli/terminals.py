"""`flask --app wsgi terminal …`: add a terminal, check one, list them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_babel import force_locale
from werkzeug.datastructures import MultiDict

from hikflask import messages
from hikflask.background import tasks
from hikflask.cli.console import CommandGroup, moment, read_password, table
from hikflask.forms.fields import MAX_ID
from hikflask.forms.terminals import TerminalForm
from hikflask.isapi.errors import TerminalError
from hikflask.labels.comparisons import KINDS_OF_PERSONS
from hikflask.models import Terminal
from hikflask.services import audit
from hikflask.services.comparisons import queries, reading
from hikflask.services.core.errors import ServiceError
from hikflask.services.groups import changing
from hikflask.services.terminals import checks, connection, registry

HOLDER = audit.COMMAND_LINE.name
# Nobody waits for a page here.
COMPARE_SECONDS = 3600.0


@click.group(cls=CommandGroup)
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
    _checked_values(typed, adding=False)  # Before the password is asked for.
    access = registry.Access(**_checked_values({**typed, "password": read_password(password_stdin)}, adding=True))
    row = registry.find_by_name(access.name) if replace else None
    if row:
        # The mark for photo files stays, and so does the pin of the same address, unless one is given, or an empty one.
        fields = {"name", "url", "username", "is_active"}
        if fingerprint is not None or access.url != row.url:
            fields.add("fingerprint")
        bring = partial(changing.bring_to, enqueue=tasks.enqueue_job)
        saved = registry.change(row.id, access, HOLDER, fields=fields, in_use_again=bring)
    else:
        saved = registry.add(access)
    click.echo(f"Terminal {saved.id} “{saved.name}” {'changed' if row else 'added'}.")
    try:
        click.echo(_description(checks.check(saved.id, HOLDER)))
    except (TerminalError, ServiceError) as error:
        click.echo(f"Not checked yet: {_sentence(saved, error)}")


@terminal.command("check")
@click.argument("terminal_id", type=click.IntRange(1, MAX_ID))
@with_appcontext
def check_terminal(terminal_id: int) -> None:
    """Ask a terminal whether it can be reached and what it can do."""
    with _terminal(terminal_id):
        click.echo(_description(checks.check(terminal_id, HOLDER)))


@terminal.command("compare")
@click.argument("terminal_id", type=click.IntRange(1, MAX_ID))
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, in one line.")
@with_appcontext
def compare_terminal(terminal_id: int, as_json: bool) -> None:
    """Compare everybody on a terminal with what is desired there, and list the differences."""
    with _terminal(terminal_id):
        comparison = reading.read_to_end(terminal_id, HOLDER, COMPARE_SECONDS)
    differences = queries.numbers(comparison)
    doubts = list(map(messages.english, queries.doubts(comparison)))
    if as_json:
        warning = {"warning": " ".join(doubts)} if doubts else {}
        click.echo(json.dumps({"same": comparison.same, **differences, **warning}))
        return
    for doubt in doubts:
        click.echo(doubt)
    if comparison.people is not None:
        click.echo(f"{comparison.read} on the terminal, ", nl=False)
    click.echo(f"{comparison.same} the same here and there.")
    with force_locale("en"):
        for kind, numbers in differences.items():
            if numbers:
                click.echo(f"{KINDS_OF_PERSONS[kind]} ({len(numbers)}): {', '.join(numbers)}")
    if not any(differences.values()):
        click.echo("No differences.")
    if ignored := queries.count_ignored(comparison):
        click.echo(f"Left alone: {ignored}")


@contextmanager
def _terminal(terminal_id: int) -> Iterator[None]:
    """Work with a terminal within the block.

    :raises click.ClickException: when there is no such terminal, or it or the program refuses.
    """
    terminal = registry.find_terminal(terminal_id)
    if terminal is None:
        raise click.ClickException(f"There is no terminal {terminal_id}.")
    try:
        yield
    except (TerminalError, ServiceError) as error:
        raise click.ClickException(_sentence(terminal, error)) from error


@terminal.command("list")
@with_appcontext
def list_terminals() -> None:
    """List the terminals: number, state as the last check found it, when that was, address and account."""
    head = ("ID", "NAME", "STATE", "LAST CHECK", "ADDRESS", "ACCOUNT")
    rows = [
        (str(row.id), row.name, _state(row), moment(row.checked_at), row.url, row.username)
        for row in registry.list_all()
    ]
    click.echo(table(head, rows))


def _state(row: Terminal) -> str:
    if not row.is_active:
        return "not in use"
    if row.refused_since:
        return "password refused"
    if row.reachable is None:
        return "not checked"
    return "reachable" if row.reachable else "does not answer"


def _checked_values(typed: dict[str, str], *, adding: bool) -> dict[str, Any]:
    with current_app.test_request_context(), force_locale("en"):
        formdata = MultiDict({**typed, "is_active": "true"})
        form = TerminalForm(formdata=formdata, meta={"csrf": False}, adding=adding)
        if form.validate():
            return form.values()
        problems = "; ".join(f"{field}: {', '.join(map(str, errors))}" for field, errors in form.errors.items())
        raise click.ClickException(problems)


def _sentence(row: Terminal, error: TerminalError | ServiceError) -> str:
    return messages.english(error.code, **{"t": row.name, "address": row.url, **error.params})


def _description(row: Terminal) -> str:
    people, faces = _usage(row.people, row.people_capacity), _usage(row.faces, row.face_capacity)
    modes = f"capture {row.capture_mode}, face by {row.face_mode}"
    password = ". It asks for no password" if connection.asks_no_password(row) else ""
    return f"{row.model} {row.firmware}: {modes}, people {people}, faces {faces}{password}"


def _usage(count: int | None, capacity: int | None) -> str:
    """Return "3 of 1000", with a question mark for a number that the terminal has not sent."""
    return f"{'?' if count is None else count} of {capacity or '?'}"
