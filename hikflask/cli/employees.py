"""`flask --app wsgi employees …`: people out to a table."""

import click
from flask.cli import with_appcontext

from hikflask.cli.database import DatabaseGroup
from hikflask.services import audit
from hikflask.services.employees import filters, people_table, search
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.spreadsheets import csv_writer


@click.group(cls=DatabaseGroup)
def employees() -> None:
    """People in bulk."""


@employees.command("export")
@click.option("--state", type=click.Choice(filters.STATES), help="Only who is in this state.")
@click.option("--department", default="", help="Only this department.")
@click.option("--q", default="", help="Only who has these words in name, ID or department.")
@click.option("--language", type=click.Choice(people_table.LANGUAGES), default="en", show_default=True)
@with_appcontext
def export_employees(state: str | None, department: str, q: str, language: str) -> None:
    """Write the employees as a CSV table to standard output."""
    wanted = EmployeeFilter(q=q, state=state or "", department=department, sort="number")
    with audit.acting(audit.COMMAND_LINE):
        audit.note_alone("employees.exported", after={"people": search.count(wanted)})
    for text in csv_writer.texts(people_table.in_language(language).parts(people_table.batches(wanted))):
        click.echo(text.encode(), nl=False)
