"""Somebody else who reads the database meanwhile, such as a backup."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import Heartbeat


@contextmanager
def somebody_reads() -> Iterator[None]:
    """Within its block, somebody sees the database as it was when the block began."""
    with db.engine.connect() as reader:
        if reader.dialect.name == "sqlite":
            reader.exec_driver_sql("BEGIN")
        else:
            reader.execution_options(isolation_level="REPEATABLE READ")
        reader.execute(select(Heartbeat)).all()
        yield
