"""The rows of comparisons of terminals that are about one person, which are exported and erased with everything else.

A number that is erased here may still be on a terminal. The next comparison then finds it again, as a stranger.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import delete, select, update

from hikflask.extensions import db
from hikflask.models import Comparison, Difference, Drift, LeftAlone, PersonThere, Terminal
from hikflask.services.core.db import changed_rows, write_first


def of_numbers(numbers: Collection[str]) -> list[tuple[str, Any]]:
    """Return the rows about these numbers, each with the name of its terminal."""
    rows: list[tuple[str, Any]] = []
    for table in (PersonThere, Difference):
        compared = select(Terminal.name, table).join(Comparison, Comparison.terminal_id == Terminal.id)
        joined = compared.join(table, table.comparison_id == Comparison.id).where(table.number.in_(numbers))
        rows += [(name, row) for name, row in db.session.execute(joined.order_by(table.id))]
    for model in (LeftAlone, Drift):
        of_terminal = select(Terminal.name, model).join(model, model.terminal_id == Terminal.id)
        rows += [(name, row) for name, row in db.session.execute(of_terminal.where(model.number.in_(numbers)))]
    return rows


def of_number(number: str) -> list[Any]:
    """Return the rows about a number."""
    return [row for _, row in of_numbers([number])]


def hold(comparison_id: int) -> None:
    """Keep the end of an erasure from deleting rows of a comparison until this transaction ends.

    Called before numbers that a comparison found are written to other tables.
    """
    write_first()
    db.session.execute(select(Comparison.id).where(Comparison.id == comparison_id).with_for_update(read=True))


def lock() -> None:
    """Lock all comparisons until this transaction ends, after the transactions that hold or read one; see hold()."""
    db.session.execute(select(Comparison.id).order_by(Comparison.id).with_for_update(key_share=True))


def forget(numbers: Collection[str]) -> None:
    """Delete the rows about these numbers, within the caller's transaction."""
    for table in (PersonThere, Difference, LeftAlone, Drift):
        changed_rows(delete(table).where(table.number.in_(numbers)))
    # How far a list was read. One that is still being read begins anew.
    for column in (Comparison.last_number, Comparison.first_face, Comparison.last_face):
        changed_rows(update(Comparison).where(column.in_(numbers)).values({column: ""}))
