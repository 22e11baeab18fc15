"""A database whose answer to one COMMIT is lost on its way: what was written is there, and nobody is told so."""

from itertools import chain, repeat
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine


def lose_answer(engine: Engine, patch: pytest.MonkeyPatch, statement: str) -> None:
    """Let the answer to the COMMIT be lost of the first transaction with a statement that begins so."""
    dialect, commit = engine.dialect, engine.dialect.do_commit
    is_next = chain([True], repeat(False))
    executed: list[str] = []

    def watch(_: Any, __: Any, text: str, *___: Any) -> None:
        executed.extend([text] if text.startswith(statement) else [])

    def commit_and_be_cut(connection: Any) -> None:
        commit(connection)
        if bool(executed) and next(is_next):
            raise dialect.loaded_dbapi.OperationalError("server closed the connection unexpectedly")

    event.listen(engine, "before_cursor_execute", watch)
    patch.setattr(dialect, "do_commit", commit_and_be_cut)
