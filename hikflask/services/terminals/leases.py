"""Leases: the right to talk to a terminal, for one holder at a time, across threads, processes and machines.

A lease is one compare-and-set UPDATE on the terminal's row, by the database's clock. Its number rises with every
holder, and every later write of the conversation has it in its WHERE. So a late holder cannot write.

Somebody who waits for a terminal may let its row say so (`wanted_until`). Work for many does not begin a conversation
with such a terminal, and ends its current one between two requests. While it waits long for something that it only
reads, it lends its lease (`lease_yields`): an urgent caller may take it over. Before anything else, it takes the lease
back, or is told that it is lost.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import ColumnElement, Float, String, Table, Update, and_, bindparam, not_, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from hikflask.config import MAX_CAPTURE_SECONDS
from hikflask.extensions import db, metrics
from hikflask.metrics.counters import GIVEN_UP, TAKEN
from hikflask.models import Terminal
from hikflask.models.columns import database_now
from hikflask.services.core.db import changed_rows, transaction
from hikflask.services.core.errors import LeaseLost, ServiceError, TerminalInUse

CAPTURE = "capture"
# The log is only read, and read on from where it was. So anybody else takes the terminal from such a conversation.
PASSAGES = "passages"
POLL_SECONDS = 0.05
# No lease is longer: a capture's, and what comes on top of it. It is no setting, since processes learn of a change at
# different moments, and none may take another's running capture for a lease that a wrong clock left behind.
MAX_SECONDS = MAX_CAPTURE_SECONDS + 120.0
# A waiting caller announces itself this often, and for this long: when it is killed, work for many goes on after that.
WANTED_EVERY_SECONDS = 0.2
WANTED_SECONDS = 1.0
# The table, not the model: each round trip and each write begins with such a statement, and the ORM doubles its cost.
ROWS = cast("Table", Terminal.__table__)


@dataclass
class Lease:
    """The lease of a terminal, identified by its number.

    It ends at `ends_at` by time.monotonic() of this process, or a moment later by the database's clock. `terminal` is
    the row as it was when the lease began.
    """

    terminal_id: int
    number: int
    ends_at: float = field(compare=False)
    terminal: Terminal = field(compare=False, repr=False)

    def lasts(self, seconds: float) -> bool:
        """True when the terminal is held for so many seconds from now, without asking the database."""
        return time.monotonic() + seconds <= self.ends_at

    def renew(self, seconds: float) -> None:
        """Hold the terminal for so many seconds from now. :raises LeaseLost: when another holder took the lease."""
        ends_at = time.monotonic() + seconds
        with transaction(alone=True):
            self._update(lease_until=database_now(seconds))
        self.ends_at = ends_at

    def verify(self) -> None:
        """Ask the database whether nobody else holds the terminal.

        :raises LeaseLost: when another holder took the lease.
        """
        with self.write():
            pass

    def lend(self) -> None:
        """Let an urgent caller take the terminal over, until take_back(). Only while nothing is written there."""
        # If that fails, the one who waits waits a little longer. A lost lease shows when it is taken back.
        with suppress(SQLAlchemyError, LeaseLost), transaction(alone=True):
            self._update(lease_yields=self.number)

    def take_back(self) -> None:
        """End what lend() began. :raises LeaseLost: when somebody took the terminal over."""
        with transaction(alone=True):
            self._update(lease_yields=None)

    def is_wanted(self) -> bool:
        """True while somebody waits for the terminal, and once somebody has taken it over."""
        parameters = {"terminal_id": self.terminal_id, "its_number": self.number}
        return db.session.execute(WANTED, parameters).first() is not None

    def release(self, **values: Any) -> None:
        """Release the terminal and write values to its row. Nothing happens when another holder took the lease."""
        with transaction(alone=True):
            changed_rows(_releasing(tuple(values.items())), {"its_id": self.terminal_id, "its_number": self.number})

    @contextmanager
    def write(self) -> Iterator[None]:
        """Open or join a transaction, which only this lease's holder can then commit.

        The first statement locks the terminal's row with this lease's number, so no other holder can begin before the
        commit.

        :raises LeaseLost: when another holder took the lease; nothing is written.
        """
        with transaction():
            self._execute(LOCK)
            yield

    def _update(self, **values: Any) -> None:
        self._execute(OWN.values(**values))

    def _execute(self, statement: Update) -> None:
        if changed_rows(statement, {"its_id": self.terminal_id, "its_number": self.number}) != 1:
            raise LeaseLost


def acquire(
    terminal_id: int, holder: str, purpose: str, seconds: float, wait: float = 0.0, *, urgent: bool = False
) -> Lease:
    """Acquire the terminal for `seconds`; wait up to `wait` seconds for the current holder.

    :param urgent: a person waits. Until this gets the terminal or gives up, nobody else who is not urgent gets it, and
        work for many lets it go.
    :raises TerminalInUse: with the current holder and the seconds left to it.
    :raises terminal_unknown: when there is no such row.
    """
    parameters = {"terminal_id": terminal_id, "holder": holder[:128], "purpose": purpose, "seconds": seconds}
    began = time.monotonic()
    give_up = began + wait
    announce_at = 0.0
    while True:
        ends_at = time.monotonic() + seconds
        with transaction(alone=True):
            terminal = db.session.execute(TAKE_URGENTLY if urgent else TAKE, parameters).scalar_one_or_none()
        now = time.monotonic()
        if terminal is not None:
            metrics.counted.lease_wait(TAKEN, now - began)
            return Lease(terminal_id, terminal.lease_number, ends_at, terminal)
        if now >= give_up:
            metrics.counted.lease_wait(GIVEN_UP, now - began)
            if announce_at:
                _announce(terminal_id, None)
            raise in_use(terminal_id)
        if urgent and now >= announce_at:
            announce_at = now + WANTED_EVERY_SECONDS
            _announce(terminal_id, database_now(WANTED_SECONDS))
        time.sleep(POLL_SECONDS)


def in_use(terminal_id: int) -> TerminalInUse:
    """Return the error with the current holder and the seconds left to it.

    :raises terminal_unknown: when there is no such row.
    """
    row = db.session.execute(
        select(Terminal.lease_holder, Terminal.lease_until, database_now()).where(Terminal.id == terminal_id)
    ).first()
    if row is None:
        raise ServiceError("terminal_unknown")
    holder, until, now = row
    return TerminalInUse(who=holder, seconds=max(1, round((until - now).total_seconds())) if until else 1)


# Nobody holds the terminal now. No lease is so long; one that ends later was written before the clock was set back.
FREE = or_(
    ROWS.c.lease_until.is_(None),
    ROWS.c.lease_until <= database_now(),
    ROWS.c.lease_until > database_now(MAX_SECONDS),
)
# Whoever does not only read the log gets the terminal now.
CAN_BE_TAKEN = or_(FREE, ROWS.c.lease_purpose == PASSAGES)
# Somebody waits for the terminal, so work for many does not begin there now. One further ahead is as old as that lease.
IS_WANTED = and_(ROWS.c.wanted_until > database_now(), ROWS.c.wanted_until <= database_now(2 * WANTED_SECONDS))
NOBODY_WAITS = or_(ROWS.c.wanted_until.is_(None), not_(IS_WANTED))
# One that did not answer is left alone for a while.
BACKS_OFF_NO_MORE = or_(ROWS.c.backoff_until.is_(None), ROWS.c.backoff_until <= database_now())
MAY_BE_ASKED = and_(ROWS.c.refused_since.is_(None), BACKS_OFF_NO_MORE)
_PURPOSE = bindparam("purpose", type_=String)


def _taking(*, urgently: bool) -> Update:
    is_read = and_(ROWS.c.lease_purpose == PASSAGES, _PURPOSE != PASSAGES)
    is_lent = [ROWS.c.lease_yields == ROWS.c.lease_number] if urgently else []
    return (
        update(Terminal)
        .where(ROWS.c.id == bindparam("terminal_id"), or_(FREE, is_read, *is_lent))
        .values(
            lease_number=ROWS.c.lease_number + 1,
            lease_holder=bindparam("holder"),
            lease_purpose=_PURPOSE,
            lease_until=database_now(bindparam("seconds", type_=Float)),
        )
        .returning(Terminal)
        .execution_options(synchronize_session=False, populate_existing=True)
    )


# Made once: to make a statement costs more than to run it.
TAKE_URGENTLY = _taking(urgently=True).values(wanted_until=None)
TAKE = _taking(urgently=False).where(NOBODY_WAITS)
OWN = update(ROWS).where(ROWS.c.id == bindparam("its_id"), ROWS.c.lease_number == bindparam("its_number"))
LOCK = OWN.values(lease_number=ROWS.c.lease_number)
WANTED = select(ROWS.c.id).where(
    ROWS.c.id == bindparam("terminal_id"), or_(IS_WANTED, ROWS.c.lease_number != bindparam("its_number"))
)


@lru_cache(maxsize=64)
def _releasing(values: tuple[tuple[str, Any], ...]) -> Update:
    return OWN.values(lease_until=None, lease_holder="", lease_purpose="", **dict(values))


def _announce(terminal_id: int, until: ColumnElement[datetime] | None) -> None:
    """Write until when somebody waits; None: nobody does. Anybody else who waits writes it again within a moment."""
    with transaction(alone=True):
        changed_rows(update(ROWS).where(ROWS.c.id == terminal_id).values(wanted_until=until))
