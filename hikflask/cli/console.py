"""Commands at a terminal window: who acts in them, what they say when they cannot, names, passwords,
tables, and how far a job is.

A password is never an argument, since everybody sees arguments in the list of processes.
"""

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TextIO

import click
from flask import Flask, current_app
from flask.cli import ScriptInfo
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from hikflask import messages, startup_checks, text_rules
from hikflask.config import ConfigError
from hikflask.services import audit
from hikflask.services.changes import queries
from hikflask.services.core.db import end_read
from hikflask.services.core.errors import ServiceError

GAP = "  "


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
                raise click.ClickException(startup_checks.unusable(error)) from error


@contextmanager
def starting() -> Iterator[None]:
    """Refuse a start in one line: systemd tries again and again, and each time all of it stands in the journal.

    Needs an app context.

    :raises click.ClickException: for what must be true before anything serves, and for an error of the database.
    """
    try:
        with startup_checks.enough_space():
            yield
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    except DBAPIError as error:
        raise click.ClickException(startup_checks.cannot_be_used(error)) from error


def read_password(from_stdin: bool, prompt: str = "Password", *, twice: bool = False) -> str:
    """Return a password from standard input, or ask for it, once or twice, without showing it."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt(prompt, hide_input=True, confirmation_prompt=twice))


def checked_name(name: str) -> str:
    """Return the name of an operator or token without spaces around it.

    :raises click.ClickException: when it is empty, too long or has control characters.
    """
    name = name.strip()
    if not name or len(name) > text_rules.MAX_ACCOUNT_LENGTH or any(map(text_rules.is_invisible, name)):
        raise click.ClickException(
            f"NAME must be 1 to {text_rules.MAX_ACCOUNT_LENGTH} characters, without control characters."
        )
    return name


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the rows as lines below their head, with aligned columns."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def moment(at: datetime | None) -> str:
    """Return a moment in UTC, or "never"."""
    return at.strftime("%Y-%m-%d %H:%M UTC") if at else "never"


PROGRESS_SECONDS = 0.5


@contextmanager
def progress_shown(job_id: int, stream: TextIO | None = None, seconds: float = PROGRESS_SECONDS) -> Iterator[None]:
    """Within its block show how far a job is, on standard error when that is a terminal window; a log stays clean."""
    out = stream or sys.stderr
    if not out.isatty():
        yield
        return
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    ended = threading.Event()
    thread = threading.Thread(target=_watch, args=(app, job_id, out, seconds, ended))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _watch(app: Flask, job_id: int, out: TextIO, seconds: float, ended: threading.Event) -> None:
    with app.app_context():
        while not ended.wait(seconds):
            job = queries.find_job(job_id)
            if job is not None:
                out.write(f"\r{job.done} of {job.total} ")
                out.flush()
            end_read()
        out.write("\r\x1b[K")
        out.flush()
