"""A database session whose transaction has one owner: functions that it calls neither commit nor roll back.

The owner opens it by `with transaction():` of services/core/db.py.
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask_sqlalchemy.session import Session
from sqlalchemy import Engine, Insert, TextClause, event

Hook = Callable[[], object]
# SQLite has one writer, and makes the others poll. So the threads of a process wait for each other here, and go on at
# once. After so many seconds they leave it to SQLite.
WRITER = threading.RLock()
WRITER_SECONDS = 10.0
# How a statement that writes begins, where it is given as text.
WRITES = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|REPLACE)\b", re.IGNORECASE)


class TransactionMisuse(Exception):
    """A fault of the program: something was written without an owner, or ended or waited for within a transaction."""


@dataclass
class Work:
    """What the owner of a transaction does.

    `hooks` are for after its commit, `rows` are inserted before it. `is_writer`: it holds WRITER. `has_written` is True
    once a statement has written, and `has_failed` once a part of it has failed.
    """

    hooks: list[Hook] = field(default_factory=list)
    rows: dict[Insert, list[dict[str, Any]]] = field(default_factory=dict)
    is_writer: bool = False
    has_written: bool = False
    has_failed: bool = False

    def follow(self) -> None:
        """Call the hooks: the transaction is committed."""
        for hook in self.hooks:
            hook()


class OwnedSession(Session):
    """The session of a request or a thread. `work` is there while somebody owns its transaction."""

    work: Work | None = None
    _engine: Engine | None = None

    def get_bind(self, *_: object, **__: object) -> Engine:
        """Return the engine of the one database. Flask-SQLAlchemy would look for it anew with each statement."""
        if self._engine is None:
            self._engine = self._db.engine
        return self._engine

    def commit(self) -> None:
        """Refuse to end what belongs to its owner."""
        raise TransactionMisuse("only its owner ends a transaction")

    def rollback(self) -> None:
        """Refuse to end what belongs to its owner."""
        raise TransactionMisuse("only its owner ends a transaction")

    def execute(self, statement: Any, *args: Any, **options: Any) -> Any:
        """Execute a statement. A transaction that locks rows becomes the one that writes first, see write_first().

        :raises TransactionMisuse: when it writes and nobody owns the transaction.
        """
        if getattr(statement, "is_dml", False) or (isinstance(statement, TextClause) and WRITES.match(statement.text)):
            self.require_owner()
            self.become_writer()
            if self.work is not None:
                self.work.has_written = True
        elif self.work is not None and getattr(statement, "_for_update_arg", None) is not None:
            self.write_first()
        return super().execute(statement, *args, **options)

    def scalars(self, statement: Any, *args: Any, **options: Any) -> Any:
        """Execute a statement, and return the first column."""
        return self.execute(statement, *args, **options).scalars()

    def scalar(self, statement: Any, *args: Any, **options: Any) -> Any:
        """Execute a statement, and return the first value."""
        return self.execute(statement, *args, **options).scalar()

    def write_first(self) -> None:
        """Make the transaction the one that writes, where a database has only one: SQLite, which locks no rows.

        Without it, others write between what a transaction reads and what it writes.
        """
        self.require_owner()
        if self.work is None or self.work.has_written or self.get_bind().dialect.name != "sqlite":
            return
        self.become_writer()
        self.work.has_written = True
        connection = self.connection()
        if not connection.connection.in_transaction:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    def end_read(self) -> None:
        """End what reads have begun; see end_read() of services/core/db.py."""
        if self.work is not None:
            raise TransactionMisuse("nothing is waited for within a transaction")
        if self.in_transaction():
            super().commit()

    def insert_rows(self) -> None:
        """Insert the rows that wait for the end of the transaction, all of one kind by one statement."""
        while self.work and self.work.rows:
            self.execute(*self.work.rows.popitem())

    def end_work(self, *, commit: bool) -> None:
        """Commit, or roll back, what the owner did. Nobody else calls this."""
        try:
            if commit:
                self.insert_rows()
                super().commit()
            else:
                super().rollback()
        finally:
            if self.work is not None and self.work.is_writer:
                WRITER.release()
            self.work = None

    def become_writer(self) -> None:
        """Wait, before the first write of a transaction, for other threads that write to the same SQLite database."""
        work = self.work
        if work is None or work.is_writer or work.has_written:
            return
        if self.get_bind().dialect.name == "sqlite":
            work.is_writer = WRITER.acquire(timeout=WRITER_SECONDS)

    def require_owner(self) -> None:
        """Refuse a write that nobody would commit."""
        if self.work is None:
            raise TransactionMisuse("nobody owns the transaction of this write")


@event.listens_for(OwnedSession, "before_flush")
def _require_owner(session: OwnedSession, *_: object) -> None:
    session.require_owner()
    session.become_writer()
