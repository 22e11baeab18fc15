"""`flask --app wsgi token …`: create, revoke and list the tokens that programs use for the API."""

from datetime import UTC, datetime, timedelta

import click
from flask.cli import with_appcontext

from hikflask import messages
from hikflask.cli.database import DatabaseGroup
from hikflask.cli.input import checked_name
from hikflask.cli.tables import moment, table
from hikflask.forms.tokens import DEFAULT_DAYS, LONGEST_DAYS
from hikflask.models import ApiToken
from hikflask.models.operator import OPERATOR, ROLES
from hikflask.services import audit
from hikflask.services.accounts import api_tokens
from hikflask.services.core.errors import ServiceError


@click.group(cls=DatabaseGroup)
def token() -> None:
    """API tokens."""


@token.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default=OPERATOR, show_default=True, help="What the token may do.")
@click.option("--days", type=click.IntRange(1, LONGEST_DAYS), default=DEFAULT_DAYS, show_default=True)
@with_appcontext
def create_token(name: str, role: str, days: int) -> None:
    """Make a token and print it, alone on the last line; it is not shown again."""
    ends = datetime.now(UTC) + timedelta(days=days)
    try:
        with audit.acting(audit.COMMAND_LINE):
            made, secret = api_tokens.create(checked_name(name), role, ends)
    except ServiceError as error:
        raise click.ClickException(messages.english(error.code, **error.params)) from error
    click.echo(f"Token “{made.name}” ({made.role}), valid until {moment(ends)}:", err=True)
    click.echo(secret)


@token.command("revoke")
@click.argument("name")
@with_appcontext
def revoke_token(name: str) -> None:
    """Make a token worthless at once."""
    found = next((one for one in api_tokens.list_all() if one.name == name.strip()), None)
    if found is None:
        raise click.ClickException(messages.english("token_unknown", name=name.strip()))
    with audit.acting(audit.COMMAND_LINE):
        api_tokens.revoke(found.id)
    click.echo(f"Token “{found.name}” is revoked.")


@token.command("list")
@with_appcontext
def list_tokens() -> None:
    """List the tokens: role, state, end and last use; the tokens themselves are kept nowhere."""
    head = ("NAME", "ROLE", "STATE", "VALID UNTIL", "LAST USE", "MADE BY")
    rows = [
        (one.name, one.role, _state(one), moment(one.expires_at), moment(one.last_used_at), one.created_by)
        for one in api_tokens.list_all()
    ]
    click.echo(table(head, rows))


def _state(found: ApiToken) -> str:
    if found.revoked_at:
        return "revoked"
    return "valid" if found.expires_at > datetime.now(UTC) else "expired"
