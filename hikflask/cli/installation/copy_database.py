"""`flask --app wsgi database …`: move an installation to another database."""

import os

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from hikflask.cli.database import DatabaseGroup
from hikflask.cli.input import read_password
from hikflask.services.backups import database_copy
from hikflask.services.backups.database_copy import CopyError


@click.group(cls=DatabaseGroup)
def database() -> None:
    """The database that everything is stored in."""


@database.command("copy-to")
@click.argument("url")
@click.option("--password-stdin", is_flag=True, help="Read the password for URL from standard input.")
@with_appcontext
def copy_to(url: str, password_stdin: bool) -> None:
    """Copy this installation from SQLite to the empty PostgreSQL database at URL, such as postgresql://user@host/name.

    Stop the service first. A password may come from standard input, or from where PostgreSQL's own programs take it.
    """
    try:
        address = make_url(url)
    except ArgumentError:
        raise click.ClickException("URL must be an address like postgresql://user@host/database.") from None
    if password_stdin:
        address = address.set(password=read_password(from_stdin=True))
    rows: dict[str, int] = {}

    def told(table: str, count: int) -> None:
        rows[table] = count
        click.echo(f"{table}: {count}")

    try:
        database_copy.copy_to(address.render_as_string(hide_password=False), told)
    except CopyError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Copied and compared: {sum(rows.values())} rows in {len(rows)} tables.")
    shown = address.render_as_string(hide_password=True)
    click.echo(f"Now set HIKFLASK_DATABASE_URL={shown} (with its password) and start the service.")
    folder = os.fspath(current_app.instance_path)
    click.echo(f"Keys and photos stay where they are: {folder}")
