"""`flask --app wsgi operator …`: create operators, give them passwords, list them."""

import click
from flask.cli import with_appcontext

from hikflask import messages
from hikflask.cli.database import DatabaseGroup
from hikflask.cli.input import checked_name, read_password
from hikflask.cli.tables import moment, table
from hikflask.models import Operator
from hikflask.models.operator import ROLES
from hikflask.services import audit
from hikflask.services.accounts import operators, second_factor, sessions, setup
from hikflask.services.core.errors import ServiceError


@click.group(cls=DatabaseGroup)
def operator() -> None:
    """Operators, who sign in to the pages."""


@operator.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What the operator may do.")
@click.option("--password-stdin", is_flag=True, help="Read the operator's password from standard input.")
@click.option("--replace", is_flag=True, help="Give role and password to the operator of this name, if there is one.")
@with_appcontext
def create_operator(name: str, role: str, password_stdin: bool, replace: bool) -> None:
    """Add an operator; a password of at least 12 characters is asked for."""
    name = checked_name(name)
    password = read_password(password_stdin)
    known = operators.by_name(name) if replace else None
    try:
        with audit.acting(audit.COMMAND_LINE):
            added = _replaced(known, password, role) if known else operators.create(name, password, role)
    except ServiceError as error:
        raise click.ClickException(messages.english(error.code, **error.params)) from error
    click.echo(f"Operator “{added.name}” ({added.role}) {'changed' if known else 'added'}.")


def _replaced(known: Operator, password: str, role: str) -> Operator:
    operators.set_password(known.id, password)
    return operators.change(known.id, role, is_active=True)


@operator.command("first-code")
@with_appcontext
def show_first_code() -> None:
    """Print what the page for the first administrator asks for, as long as nobody can sign in."""
    if operators.exist():
        click.echo("There are operators already: nobody needs a code.")
        return
    click.echo(f"To make the first administrator, open /first-run and give the code {setup.code()}")


@operator.command("password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the operator's new password from standard input.")
@with_appcontext
def set_password(name: str, password_stdin: bool) -> None:
    """Give an operator another password; all sessions end, and tries that were counted are forgotten."""
    found = operators.by_name(name)
    if found is None:
        raise click.ClickException(messages.english("operator_unknown", name=name))
    password = read_password(password_stdin)
    try:
        with audit.acting(audit.COMMAND_LINE):
            operators.set_password(found.id, password)
    except ServiceError as error:
        raise click.ClickException(messages.english(error.code, **error.params)) from error
    click.echo(f"Operator “{found.name}” has another password.")


@operator.command("second-factor")
@click.argument("name")
@click.option("--remove", is_flag=True, help="Take the second factor off: the password alone signs in.")
@with_appcontext
def second_factor_of(name: str, remove: bool) -> None:
    """Tell whether an operator has a second factor, or take it off somebody who lost it; all sessions end then."""
    found = operators.by_name(name)
    if found is None:
        raise click.ClickException(messages.english("operator_unknown", name=name))
    if not remove:
        click.echo(f"Operator “{found.name}” has {'a' if found.totp_encrypted else 'no'} second factor.")
        return
    try:
        with audit.acting(audit.COMMAND_LINE):
            second_factor.remove(found.id)
    except ServiceError as error:
        raise click.ClickException(messages.english(error.code, **error.params)) from error
    click.echo(f"Operator “{found.name}” has no second factor any more.")


@operator.command("list")
@with_appcontext
def list_operators() -> None:
    """List the operators: role, state, and when each signed in last."""
    last = sessions.last_sign_ins()
    rows = [(one.name, one.role, _state(one), moment(last.get(one.name))) for one in operators.list_all()]
    click.echo(table(("NAME", "ROLE", "STATE", "LAST SIGN-IN"), rows))


def _state(found: Operator) -> str:
    if not found.is_active:
        return "may not sign in"
    return "has a temporary password" if found.must_change_password else "active"
