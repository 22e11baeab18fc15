"""`flask --app wsgi token …`: create, revoke and list the tokens that programs use for the API."""

from datetime import UTC, datetime, timedelta

import click
from flask.cli import with_appcontext

from hikflask.cli.console import CommandGroup, checked_name, moment, table
from hikflask.models import ApiToken
from hikflask.models.accounts import OPERATOR, ROLES
from hikflask.services.accounts import api_tokens
from hikflask.services.accounts.api_tokens import DEFAULT_DAYS, MAX_DAYS
from hikflask.services.core.errors import ServiceError


@click.group(cls=CommandGroup)
def token() -> None:
    """API tokens."""


@token.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default=OPERATOR, show_default=True, help="What the token may do.")
@click.option("--days", type=click.IntRange(1, MAX_DAYS), default=DEFAULT_DAYS, show_default=True)
@with_appcontext
def create_token(name: str, role: str, days: int) -> None:
    """Make a token and print it, alone on the last line; it is not shown again."""
    ends = datetime.now(UTC) + timedelta(days=days)
    made, secret = api_tokens.create(checked_name(name), role, ends)
    click.echo(f"Token “{made.name}” ({made.role}), valid until {moment(ends)}:", err=True)
    click.echo(secret)


@token.command("revoke")
@click.argument("name")
@with_appcontext
def revoke_token(name: str) -> None:
    """Make a token worthless at once."""
    row = next((row for row in api_tokens.list_all() if row.name == name.strip()), None)
    if row is None:
        raise ServiceError("token_unknown", name=name.strip())
    api_tokens.revoke(row.id)
    click.echo(f"Token “{row.name}” is revoked.")


@token.command("list")
@with_appcontext
def list_tokens() -> None:
    """List the tokens: role, state, end and last use; the tokens themselves are kept nowhere."""
    head = ("NAME", "ROLE", "STATE", "VALID UNTIL", "LAST USE", "MADE BY")
    rows = [
        (row.name, row.role, _state(row), moment(row.expires_at), moment(row.last_used_at), row.created_by)
        for row in api_tokens.list_all()
    ]
    click.echo(table(head, rows))


def _state(row: ApiToken) -> str:
    if row.revoked_at:
        return "revoked"
    return "valid" if row.expires_at > datetime.now(UTC) else "expired"
