"""`hikflask doctor`: say what is wrong with an installation."""

import os
from collections.abc import Iterator
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import ScriptInfo

from hikflask import config
from hikflask.diagnosis import (
    Finding,
    access,
    backups,
    connections,
    database,
    files,
    machine,
    proxy,
    service,
    settings,
    terminals,
    wrong,
)

NO_FOLDER = "mount the disk that it is on, or set HIKFLASK_INSTANCE_PATH to where it is"


@click.command("doctor")
@click.option("--without-nginx", is_flag=True, help="Do not look for nginx in front of the service.")
@click.pass_context
def examine(context: click.Context, without_nginx: bool) -> None:
    """Say what is wrong with this installation, and what to do; fail when something is."""
    results = []
    for finding in _findings(context, without_nginx):
        click.echo(f"{finding.mark:<7}{finding.sentence}")
        results.append(finding.is_good)
    if not all(results):
        raise click.ClickException(f"{results.count(False)} of {len(results)} things are wrong.")
    click.echo("Everything is as it should be.")


def _findings(context: click.Context, without_nginx: bool) -> Iterator[Finding]:
    """Look at the files before there is an app, which cannot be made where they are not as they should be."""
    folder = Path(current_app.instance_path if current_app else config.instance_path())
    may_enter = yield from access.check(folder, NO_FOLDER)
    if may_enter:
        yield from files.check(folder)
    yield from settings.check(folder)
    yield from machine.check_clock()
    app = None
    # Where the folder is not to be seen, an app would make another one, with other keys.
    if access.may(os.X_OK, folder):
        try:
            app = context.ensure_object(ScriptInfo).load_app()
        except config.ConfigError as error:
            yield wrong(str(error))
    if app is None:
        yield from backups.check(config.SETTINGS["BACKUP_MAX_AGE"].default)
        return
    with app.app_context():
        yield from _of_app(app, without_nginx)


def _of_app(app: Flask, without_nginx: bool) -> Iterator[Finding]:
    hosts = app.config["HOSTS"]
    usable = yield from database.check()
    yield from backups.check(app.config["BACKUP_MAX_AGE"])
    yield from service.check(hosts)
    yield from connections.check_metrics()
    if not without_nginx:
        yield from proxy.check(hosts)
    yield from connections.check_pushes()
    yield from connections.check_mail()
    if usable:
        yield from files.check_photos()
        yield from terminals.check()
        yield from terminals.check_logs()
