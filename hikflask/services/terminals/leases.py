"""Leases: the right to talk to a terminal, for one holder at a time, across threads, processes and machines.

A lease is one compare-and-set UPDATE on the terminal's row, by the database's clock. Its number rises with every
holder, and every later write of the conversation has it in its WHERE. So a late holder cannot write.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from flask import current_app
from flask_sqlalchemy.session import Session
from sqlalchemy import ColumnElement, Table, Update, or_, select, update
from sqlalchemy.orm import scoped_session

from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.models.columns import database_now
from hikflask.services.core.db import changed_rows
from hikflask.services.core.errors import LeaseLost, TerminalInUse, TerminalUnknown

CAPTURE = "capture"
POLL_SECONDS = 0.05
LONGEST_SECONDS = 120.0
# The table, not the model: each round trip and each write begins with such a statement, and the ORM doubles its cost.
ROWS = cast("Table", Terminal.__table__)


@dataclass(frozen=True)
class Lease:
    """The lease of a terminal, identified by its number."""

    terminal_id: int
    number: int

    def renew(self, seconds: float) -> None:
        """Hold the terminal for so many seconds from now.

        :raises LeaseLost: when another holder took the lease.
        """
        self._mine(lease_until=database_now(seconds))
        db.session.commit()

    def release(self, **learnt: Any) -> None:
        """Release the terminal and write `learnt` to its row. Nothing happens when another holder took the lease."""
        changed_rows(self._where().values(lease_until=None, lease_holder="", lease_purpose="", **learnt))
        db.session.commit()

    @contextmanager
    def write(self) -> Iterator[scoped_session[Session]]:
        """Open a transaction that only this lease's holder can commit.

        The first statement locks the terminal's row with this lease's number, so no other holder can begin before the
        commit.

        :raises LeaseLost: when another holder took the lease; nothing is written.
        """
        self._mine(lease_number=self.number)
        try:
            yield db.session
            db.session.commit()
        except BaseException:
            db.session.rollback()
            raise

    def _where(self) -> Update:
        return update(ROWS).where(ROWS.c.id == self.terminal_id, ROWS.c.lease_number == self.number)

    def _mine(self, **values: Any) -> None:
        if changed_rows(self._where().values(**values)) != 1:
            db.session.rollback()
            raise LeaseLost


def acquire(terminal_id: int, holder: str, purpose: str, seconds: float, wait: float = 0.0) -> Lease:
    """Acquire the terminal for `seconds`; wait up to `wait` seconds for the present holder.

    :raises TerminalInUse: with the present holder and the seconds left to it.
    :raises TerminalUnknown: when there is no such row.
    """
    give_up = time.monotonic() + wait
    while True:
        lease = _try(terminal_id, holder, purpose, seconds)
        if lease:
            return lease
        if time.monotonic() >= give_up:
            raise in_use(terminal_id)
        time.sleep(POLL_SECONDS)


def in_use(terminal_id: int) -> TerminalInUse:
    """Return the error with the present holder and the seconds left to it.

    :raises TerminalUnknown: when there is no such row.
    """
    row = db.session.execute(
        select(Terminal.lease_holder, Terminal.lease_until, database_now()).where(Terminal.id == terminal_id)
    ).first()
    db.session.commit()
    if row is None:
        raise TerminalUnknown
    holder, until, now = row
    return TerminalInUse(who=holder, seconds=max(1, round((until - now).total_seconds())) if until else 1)


def free() -> ColumnElement[bool]:
    """Return the condition that nobody holds the terminal now."""
    # No lease is so long. One that ends later was written before the clock was set back.
    never = database_now(current_app.config["CAPTURE_TIMEOUT"] + LONGEST_SECONDS)
    return or_(Terminal.lease_until.is_(None), Terminal.lease_until <= database_now(), Terminal.lease_until > never)


def _try(terminal_id: int, holder: str, purpose: str, seconds: float) -> Lease | None:
    number = db.session.execute(
        update(Terminal)
        .where(Terminal.id == terminal_id, free())
        .values(
            lease_number=Terminal.lease_number + 1,
            lease_holder=holder[:128],
            lease_purpose=purpose,
            lease_until=database_now(seconds),
        )
        .returning(Terminal.lease_number),
        execution_options={"synchronize_session": False},
    ).scalar_one_or_none()
    db.session.commit()
    return None if number is None else Lease(terminal_id, number)
