"""What a command says when the database has no tables, or those of another version."""

from typing import Any

import click
from flask.cli import ScriptInfo
from sqlalchemy.exc import OperationalError, ProgrammingError

from hikflask.extensions import db


class DatabaseGroup(click.Group):
    """Commands that need the app's tables: where they are missing, one sentence says what to do."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (OperationalError, ProgrammingError) as error:
            with ctx.ensure_object(ScriptInfo).load_app().app_context():
                database = db.engine.url.render_as_string(hide_password=True)
            raise click.ClickException(_sentence(database, error)) from error


def _sentence(database: str, error: OperationalError | ProgrammingError) -> str:
    return (
        f"{database} does not have the tables that are needed ({error.orig}). "
        "Run `flask --app wsgi db upgrade` first, or set HIKFLASK_INSTANCE_PATH (or HIKFLASK_DATABASE_URL) "
        "to what the service uses."
    )
