"""Commands that need the database: what they say when its tables are missing or of another version."""

from typing import Any

import click
from flask.cli import ScriptInfo
from sqlalchemy.exc import OperationalError, ProgrammingError

from hikflask import startup_checks


class DatabaseGroup(click.Group):
    """A group of commands that need the app's tables. Where these are missing, one sentence says what to do."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (OperationalError, ProgrammingError) as error:
            with ctx.ensure_object(ScriptInfo).load_app().app_context():
                raise click.ClickException(startup_checks.without_tables(str(error.orig))) from error
