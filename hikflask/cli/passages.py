"""`flask --app wsgi passages …`: passages out to a table or to JSON, for payroll and other programs."""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from flask.cli import with_appcontext

from hikflask.cli.console import CommandGroup, moment
from hikflask.services import audit
from hikflask.services.core.dates import today
from hikflask.services.passages import days, exports, interpretation, switch, uncertain_passages
from hikflask.services.passages.days import PeopleFilter, Span
from hikflask.services.passages.exports import KINDS, LAYOUTS, RAW, Record
from hikflask.services.spreadsheets import csv_writer, table_file
from hikflask.services.spreadsheets.table_file import CSV, FORMATS, XLSX

JSON = "json"
DAY = click.DateTime(["%Y-%m-%d"])


@click.group(cls=CommandGroup)
def passages() -> None:
    """Who passed at the terminals."""


@passages.command("export")
@click.option("--from", "first", type=DAY, help="The first day, such as 2026-11-01. By default yesterday.")
@click.option("--to", "last", type=DAY, help="The last day, inclusive. By default the first one.")
@click.option("--format", "form", type=click.Choice([*FORMATS, JSON]), default=CSV, show_default=True)
@click.option("--for", "kind", type=click.Choice(KINDS), default=RAW, show_default=True, help="Which program reads it.")
@with_appcontext
def export_passages(first: datetime | None, last: datetime | None, form: str, kind: str) -> None:
    """Write passages to standard output.

    1c: a row for each employee and day with the first arrival, the last departure and the hours between; frappe: a row
    for each passage, as Employee Checkin of frappe/hrms takes them; raw: all events as the API has them.
    """
    switch.require_on()
    span = _span(first, last)
    days = {"from": span.first.isoformat(), "to": span.last.isoformat()}
    audit.record_passages_left(kind, None, format=form, **days)
    _print_doubts(span)
    parts = exports.records(kind, span, PeopleFilter())
    layout = LAYOUTS[kind]
    if form == XLSX:
        with TemporaryDirectory() as folder:
            file = Path(folder, f"passages.{XLSX}")
            table_file.write(file, layout.sheet, exports.tables(kind, parts))
            click.echo(file.read_bytes(), nl=False)
        return
    rows = exports.tables(kind, parts)
    texts = csv_writer.texts(rows, separator=layout.separator) if form == CSV else _json(parts)
    # In bytes: the terminal's own encoding may have no Cyrillic.
    for text in texts:
        click.echo(text.encode(), nl=False)


@passages.command("interpret")
@with_appcontext
def interpret_again() -> None:
    """Read all stored events again, where this version understands more than the one that stored them."""
    click.echo(f"Events read otherwise than before: {interpretation.interpret_again()}.")


def _span(first: datetime | None, last: datetime | None) -> Span:
    begins: date = first.date() if first else today() - timedelta(days=1)
    ends: date = last.date() if last else begins
    if not begins <= ends <= begins + timedelta(days=days.MAX_DAYS - 1):
        raise click.BadParameter(f"it must be the first day or up to {days.MAX_DAYS} days on.", param_hint="--to")
    return Span(begins, ends)


def _print_doubts(span: Span) -> None:
    """Say on standard error of which times passages may be missing in the table."""
    for doubt in uncertain_passages.find(span):
        for gap in doubt.gaps:
            times = f"from {moment(gap.from_at)} to {moment(gap.to_at)}"
            click.echo(f"Passages may be missing at “{doubt.terminal.name}” {times}: {gap.reason}.", err=True)


def _json(parts: Iterator[list[Record]]) -> Iterator[str]:
    """Yield a JSON array, one record a line."""
    before = "["
    for part in parts:
        for record in part:
            yield f"{before}\n{json.dumps(record, ensure_ascii=False)}"
            before = ","
    yield "[]\n" if before == "[" else "\n]\n"
