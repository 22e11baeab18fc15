"""`flask --app wsgi operator …`: create operators, give them passwords, list them."""

import click
from flask.cli import with_appcontext

from hikflask.cli.console import CommandGroup, checked_name, moment, read_password, table
from hikflask.models import Operator
from hikflask.models.accounts import ROLES
from hikflask.services.accounts import operators, second_factor, sessions
from hikflask.services.core.errors import NotFound


@click.group(cls=CommandGroup)
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
    row = operators.by_name(name) if replace else None
    if row:
        operators.set_password(row.id, password)
        saved = operators.change(row.id, role, is_active=True)
    else:
        saved = operators.create(name, password, role)
    click.echo(f"Operator “{saved.name}” ({saved.role}) {'changed' if row else 'added'}.")


@operator.command("first-code")
@with_appcontext
def show_first_code() -> None:
    """Print what the page for the first administrator asks for, as long as nobody can sign in."""
    if operators.exist():
        click.echo("There are operators already: nobody needs a code.")
        return
    click.echo(f"To make the first administrator, open /first-run and give the code {operators.setup_code()}")


@operator.command("password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the operator's new password from standard input.")
@with_appcontext
def set_password(name: str, password_stdin: bool) -> None:
    """Give an operator another password; all sessions end, and tries that were counted are forgotten."""
    row = _by_name(name)
    operators.set_password(row.id, read_password(password_stdin))
    click.echo(f"Operator “{row.name}” has another password.")


@operator.command("second-factor")
@click.argument("name")
@click.option("--remove", is_flag=True, help="Take the second factor off: the password alone signs in.")
@with_appcontext
def second_factor_of(name: str, remove: bool) -> None:
    """Tell whether an operator has a second factor, or take it off somebody who lost it; all sessions end then."""
    row = _by_name(name)
    if not remove:
        click.echo(f"Operator “{row.name}” has {'a' if row.totp_encrypted else 'no'} second factor.")
        return
    second_factor.remove(row.id)
    click.echo(f"Operator “{row.name}” has no second factor any more.")


@operator.command("list")
@with_appcontext
def list_operators() -> None:
    """List the operators: role, state, and when each signed in last."""
    last = sessions.last_sign_ins()
    rows = [(row.name, row.role, _state(row), moment(last.get(row.name))) for row in operators.list_all()]
    click.echo(table(("NAME", "ROLE", "STATE", "LAST SIGN-IN"), rows))


def _by_name(name: str) -> Operator:
    row = operators.by_name(name)
    if row is None:
        raise NotFound("operator_unknown", name=name)
    return row


def _state(row: Operator) -> str:
    if not row.is_active:
        return "may not sign in"
    return "has a temporary password" if row.must_change_password else "active"
