"""`hikflask serve`, `worker` and `ready`: the processes of the service, and the question whether they can work."""

import os
import sys
import time

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from hikflask import config, startup_checks
from hikflask.background import worker
from hikflask.cli.console import starting
from hikflask.diagnosis import service

AGAIN_SECONDS = 0.5


@click.command("serve")
@with_appcontext
def serve() -> None:
    """Serve the pages and the API with gunicorn until stopped."""
    # gunicorn checks this, too, but adds lines of its own when a process of its ends.
    with starting():
        startup_checks.prepare(current_app)
    settings = str(config.SHIPPED / "deploy" / "gunicorn.conf.py")
    program = [sys.executable, "-m", "gunicorn", "--config", settings, "wsgi:app"]
    os.execv(sys.executable, program)  # noqa: S606 - it takes this process's place, and systemd's word goes to it


@click.command("worker")
@with_appcontext
def run_worker() -> None:
    """Run queued work until stopped (with HIKFLASK_WORKER=external)."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    with starting():
        startup_checks.prepare(app)
    try:
        with startup_checks.enough_space():
            worker.run_forever(app)
    except config.ConfigError as error:
        raise click.ClickException(str(error)) from error


@click.command("ready")
@click.option("--wait", type=click.FloatRange(0, 600), default=0.0, metavar="SECONDS", help="Ask until then.")
@with_appcontext
def ask_ready(wait: float) -> None:
    """Succeed when the running service says that pages, database, queue and worker work."""
    give_up = time.monotonic() + wait
    while (wrong := service.not_ready(current_app.config["HOSTS"])) and time.monotonic() < give_up:
        time.sleep(AGAIN_SECONDS)
    if wrong:
        raise click.ClickException(wrong)
    click.echo("The service is ready.")
