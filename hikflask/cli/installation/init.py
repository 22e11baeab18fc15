"""`hikflask init`: make the tables, or bring them to this version."""

import click
from flask.cli import with_appcontext
from flask_migrate import upgrade

from hikflask import startup_checks


@click.command("init")
@with_appcontext
def initialise() -> None:
    """Make the database, or bring it to this version; the keys are made at the first start."""
    present, needed = startup_checks.present_version(), startup_checks.needed_version()
    if present == needed:
        click.echo(f"The database has version {needed} already.")
        return
    upgrade()
    click.echo(f"The database has version {needed} now{f', instead of {present}' if present else ''}.")
