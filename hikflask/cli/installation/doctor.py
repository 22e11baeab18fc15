"""`hikflask doctor`: say what is wrong with an installation."""

from collections.abc import Iterator
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from hikflask.diagnosis import Finding, database, files, proxy, service, terminals, time_server


@click.command("doctor")
@click.option("--without-nginx", is_flag=True, help="Do not look for nginx in front of the service.")
@with_appcontext
def examine(without_nginx: bool) -> None:
    """Say what is wrong with this installation, and what to do; fail when something is."""
    results = []
    for finding in _findings(without_nginx):
        click.echo(f"{finding.mark:<7}{finding.sentence}")
        results.append(finding.is_good)
    if not all(results):
        raise click.ClickException(f"{results.count(False)} of {len(results)} things are wrong.")
    click.echo("Everything is as it should be.")


def _findings(without_nginx: bool) -> Iterator[Finding]:
    hosts = current_app.config["HOSTS"]
    yield from files.check(Path(current_app.config["INSTANCE_PATH"]))
    yield from time_server.check()
    usable = yield from database.check()
    yield from service.check(hosts)
    if not without_nginx:
        yield from proxy.check(hosts)
    if usable:
        yield from terminals.check()
