"""`flask --app wsgi cards …`: who has which card, and cards for many from a table."""

from pathlib import Path

import click
from flask.cli import with_appcontext

from hikflask import messages
from hikflask.background import tasks
from hikflask.cli.console import CommandGroup
from hikflask.services import audit
from hikflask.services.cards import registry
from hikflask.services.core.errors import NotFound, ServiceError
from hikflask.services.employees import search

BOM = "\ufeff"
HEADER = ("number", "card")


@click.group(cls=CommandGroup)
def cards() -> None:
    """Cards of employees."""


@cards.command("list")
@with_appcontext
def list_cards() -> None:
    """Print who has which card: the employee ID and the card in each line, as the import reads them."""
    listed = registry.list_all()
    audit.record_alone("cards.exported", after={"people": len({card.employee_id for card in listed})})
    click.echo(";".join(HEADER))
    for card in listed:
        click.echo(f"{card.employee.number};{card.number}")


@cards.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_appcontext
def import_cards(file: Path) -> None:
    """Give the cards of FILE: an employee ID, a semicolon and a card in each line, in UTF-8.

    A line that is refused is said with its number, and the others are done; the exit status is then 1. A card that the
    employee has already is no error.
    """
    try:
        lines = file.read_text(encoding="utf-8").removeprefix(BOM).splitlines()
    except UnicodeDecodeError:
        raise click.BadParameter("the file is not UTF-8.", param_hint="FILE") from None
    given = refused = 0
    for place, line in enumerate(lines, start=1):
        cells = tuple(cell.strip() for cell in line.split(";"))
        if not any(cells) or (place == 1 and cells == HEADER):
            continue
        try:
            given += _give(*cells) if len(cells) == len(HEADER) else _refuse_line()
        except ServiceError as error:
            refused += 1
            click.echo(f"line {place}: {messages.english(error.code, **error.params)}", err=True)
    click.echo(f"Cards given: {given}")
    if refused:
        raise click.ClickException(f"Lines refused: {refused}")


def _give(number: str, card: str) -> bool:
    """Return False where the employee has the card already; :raises ServiceError: as registry.give()."""
    employee = search.by_number(number)
    if employee is None:
        raise NotFound("not_here", n=number)
    known = registry.of_number(card)
    if known and known.employee_id == employee.id:
        return False
    tasks.enqueue_due(registry.give(employee.id, card).due)
    return True


def _refuse_line() -> bool:
    raise ServiceError("card_line_wrong")
