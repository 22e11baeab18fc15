"""`hikflask serve` and `hikflask ready`: serve the pages, and ask a running service whether it can work."""

import os
import sys
import time

import click
from flask import current_app
from flask.cli import with_appcontext

from hikflask import config
from hikflask.diagnosis import service

AGAIN_SECONDS = 0.5


@click.command("serve")
def serve() -> None:
    """Serve the pages and the API with gunicorn until stopped."""
    settings = str(config.SHIPPED / "deploy" / "gunicorn.conf.py")
    program = [sys.executable, "-m", "gunicorn", "--config", settings, "wsgi:app"]
    os.execv(sys.executable, program)  # noqa: S606 - it takes this process's place, and systemd's word goes to it


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
