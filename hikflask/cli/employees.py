"""`flask --app wsgi employees …`: people out to a table."""

from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from hikflask.cli import imports
from hikflask.cli.console import CommandGroup
from hikflask.forms.fields import MAX_ID
from hikflask.services import audit
from hikflask.services.employees import export_columns, filters, search
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.spreadsheets import csv_writer, table_file
from hikflask.services.spreadsheets.table_file import CSV, FORMATS


@click.group(cls=CommandGroup)
def employees() -> None:
    """People in bulk."""


employees.add_command(imports.import_employees)
employees.add_command(imports.undo_import)


@employees.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--state", type=click.Choice(filters.STATES), help="Only who is in this state.")
@click.option("--terminal", type=click.IntRange(1, MAX_ID), help="Only who is wanted on this terminal, by its ID.")
@click.option("--department", default="", help="Only this department.")
@click.option("--q", default="", help="Only who has these words in name, ID or department.")
@click.option("--language", type=click.Choice(export_columns.LANGUAGES), default="en", show_default=True)
@with_appcontext
def export_employees(file: Path | None, language: str, **narrowed: Any) -> None:
    """Write the employees to FILE, whose name ends in .csv or .xlsx, or as CSV to standard output.

    A file is for its owner alone, begins with a byte order mark as Excel needs it, and replaces an earlier one.
    """
    kind = _format(file) if file else CSV
    chosen = EmployeeFilter(sort="number", **{name: value for name, value in narrowed.items() if value})
    ids = search.ids(chosen)
    audit.record_alone("employees.exported", after={"people": len(ids), "format": kind})
    table = export_columns.PeopleTable(language)
    rows = table.parts(export_columns.batches(ids))
    if file:
        table_file.write(file, table.sheet, rows)
        click.echo(f"Employees written to {file}: {len(ids)}")
        return
    # In bytes: the terminal's own encoding may have no Cyrillic.
    for text in csv_writer.texts(rows):
        click.echo(text.encode(), nl=False)


def _format(file: Path) -> str:
    kind = file.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise click.BadParameter("the name must end in .csv or .xlsx.", param_hint="FILE")
    if not file.parent.is_dir():
        raise click.BadParameter(f"there is no folder {file.parent}.", param_hint="FILE")
    return kind
