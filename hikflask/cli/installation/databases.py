"""`hikflask init`: make the tables, or bring them to this version. `hikflask database …`: move to another database."""

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from hikflask import startup_checks
from hikflask.cli.console import CommandGroup, read_password, starting
from hikflask.services.backups import BackupError, database_copy, restore
from hikflask.services.backups.database_copy import CopyError


@click.command("init")
@with_appcontext
def initialise() -> None:
    """Make the database, or bring it to this version; the keys are made at the first start."""
    with starting():
        current, needed = startup_checks.usable_version(), startup_checks.needed_version()
        if current == needed:
            click.echo(f"The database has version {needed} already.")
            return
        upgrade()
    click.echo(f"The database has version {needed} now{f', instead of {current}' if current else ''}.")


@click.group(cls=CommandGroup)
def database() -> None:
    """The database that everything is stored in."""


@database.command("version")
@with_appcontext
def show_version() -> None:
    """Print the version of the tables, or nothing where there is nothing to back up; fail without an answer."""
    try:
        if restore.used_table():
            click.echo(startup_checks.current_version())
    except BackupError as error:
        raise click.ClickException(str(error)) from None


@database.command("copy-to")
@click.argument("url")
@click.option("--password-stdin", is_flag=True, help="Read the password for URL from standard input.")
@with_appcontext
def copy_to(url: str, password_stdin: bool) -> None:
    """Copy this installation to the empty database at URL, from SQLite to PostgreSQL or the other way.

    URL is such as postgresql://user@host/name or sqlite:////var/lib/hikflask/hikflask.sqlite3. Stop the service first.
    A password may come from standard input, or from where PostgreSQL's own programs take it.
    """
    try:
        address = make_url(url)
    except ArgumentError:
        raise click.ClickException(
            "URL must be an address like postgresql://user@host/database or sqlite:////folder/file."
        ) from None
    if address.password or "password" in address.query:
        raise click.ClickException(
            "URL must have no password, since everybody on this machine can read it in the list of processes: leave it "
            "out, and give it to --password-stdin."
        )
    if password_stdin:
        address = address.set(password=read_password(from_stdin=True))
    rows: dict[str, int] = {}

    def report(table: str, count: int) -> None:
        rows[table] = count
        click.echo(f"{table}: {count}")

    try:
        database_copy.copy_to(address, report)
    except CopyError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Copied and compared: {sum(rows.values())} rows in {len(rows)} tables.")
    shown = address.render_as_string(hide_password=True)
    password = " (with its password)" if address.get_backend_name() == "postgresql" else ""
    click.echo(f"Now set HIKFLASK_DATABASE_URL={shown}{password} and start the service.")
    click.echo(f"Keys and photos stay where they are: {current_app.instance_path}")
