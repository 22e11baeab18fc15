"""Groups of commands that read and change what is stored: who acts in them, and what they say when they cannot."""

from typing import Any

import click
from flask.cli import ScriptInfo
from sqlalchemy.exc import OperationalError, ProgrammingError

from hikflask import messages, startup_checks
from hikflask.services import audit
from hikflask.services.core.errors import ServiceError


class CommandGroup(click.Group):
    """A group whose commands act as the command line in the audit trail, and fail with one sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command.

        :raises click.ClickException: for a refusal, and where tables are missing or of another version.
        """
        try:
            with audit.acting(audit.COMMAND_LINE):
                return super().invoke(ctx)
        except (ServiceError, OperationalError, ProgrammingError) as error:
            with ctx.ensure_object(ScriptInfo).load_app().app_context():
                if isinstance(error, ServiceError):
                    raise click.ClickException(messages.english(error.code, **error.params)) from error
                raise click.ClickException(startup_checks.without_tables(str(error.orig))) from error
