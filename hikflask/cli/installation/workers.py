"""`flask --app wsgi worker`: run a worker in a process of its own."""

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from hikflask import startup_checks
from hikflask.background import worker
from hikflask.config import ConfigError


@click.command("worker")
@with_appcontext
def run_worker() -> None:
    """Run queued work until stopped (with HIKFLASK_WORKER=external)."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    try:
        startup_checks.prepare(app)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    worker.run_forever(app)
