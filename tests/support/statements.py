"""Counts what the database is asked."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.engine import Engine


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """Gather the statements that are executed within the block."""
    statements: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        # The settings are read once in two seconds for the whole process (services/settings/stored.py).
        if "FROM setting" not in statement:
            statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)
