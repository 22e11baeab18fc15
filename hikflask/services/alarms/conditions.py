"""Reads what is alarming now. Each read ends after some rows, so that every sweep may repeat it."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute

from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal
from hikflask.models.alarm import BACKUP, DISK, JOURNAL, MAX_KEY_LENGTH, REFUSED, REMOVALS, SILENT
from hikflask.models.columns import database_now, one_moment
from hikflask.services.backups import records
from hikflask.services.core import no_space
from hikflask.services.passages import journal
from hikflask.services.state.enrolment import IS_LEAVING

SECONDS_PER_HOUR = 3600.0
# How many of the oldest, and of the newest, removals are read.
MAX_REMOVALS = 5000
# The IDs that a mail names.
MAX_NAMED = 20
OLDEST = (Enrolment.desired_since, Enrolment.id)


@dataclass(frozen=True)
class Condition:
    """Something alarming since a moment, at a terminal, on this machine, or else at the whole installation.

    `code` is the terminal's own where it recorded that in its journal.
    """

    kind: str
    terminal_id: int | None
    since: datetime
    code: str = ""
    is_duress: bool = False

    @property
    def key(self) -> str:
        """The key of its alarm."""
        if self.kind == DISK:
            return key_of_disk()
        parts = (self.kind, str(self.terminal_id or ""), self.code)
        return ":".join(part for part in parts if part)


def has_several_terminals() -> bool:
    """Return True when more than one terminal is in use, so that something may happen to several at once."""
    in_use = select(Terminal.id).where(Terminal.is_active).limit(2)
    return len(db.session.execute(in_use).all()) > 1


def key_of_disk() -> str:
    """Return the key of the alarm about this machine's disks: each machine knows its own alone."""
    return f"{DISK}:{socket.gethostname()}"[:MAX_KEY_LENGTH]


def current() -> list[Condition]:
    """Return all that is alarming now."""
    silent_hours: int = current_app.config["MAIL_SILENT_HOURS"]
    away = Terminal.offline_since < database_now(-silent_hours * SECONDS_PER_HOUR)
    conditions = [
        *(Condition(REMOVALS, terminal_id, since) for terminal_id, since in _overdue_at(func.min, *OLDEST).items()),
        *_at_terminals(SILENT, Terminal.offline_since, Terminal.reachable.is_(False), away),
        *_at_terminals(REFUSED, Terminal.refused_since, Terminal.refused_since.is_not(None)),
        *(Condition(JOURNAL, row.terminal_id, row.since, row.code, row.is_duress) for row in journal.unseen()),
    ]
    if records.is_overdue():
        newest = records.newest(whole=True)
        conditions.append(Condition(BACKUP, None, newest.finished_at if newest else _now()))
    if any(disk.is_low for disk in no_space.disks()):
        conditions.append(Condition(DISK, None, _now()))
    return conditions


def _now() -> datetime:
    return db.session.execute(select(database_now())).scalar_one()


def newest_removals() -> dict[int, datetime]:
    """Return by terminal when its newest overdue removal was requested, among the newest MAX_REMOVALS of all."""
    return _overdue_at(func.max, *(column.desc() for column in OLDEST))


def _overdue_at(edge: Callable[[Any], Any], *order: Any) -> dict[int, datetime]:
    first = select(Enrolment.terminal_id, Enrolment.desired_since).where(*_overdue()).order_by(*order)
    some = first.limit(MAX_REMOVALS).subquery()
    each = select(some.c.terminal_id, edge(some.c.desired_since)).group_by(some.c.terminal_id)
    return {terminal_id: moment for terminal_id, moment in db.session.execute(each)}


def overdue_numbers(terminal_id: int) -> list[str]:
    """Return the IDs of the people who should have left a terminal by now, the first of them."""
    here = (Enrolment.terminal_id == terminal_id, *_overdue())
    statement = select(Enrolment.number).where(*here).order_by(*OLDEST)
    return list(db.session.execute(statement.limit(MAX_NAMED + 1)).scalars())


def _overdue() -> tuple[ColumnElement[bool], ...]:
    hours: int = current_app.config["MAIL_REMOVAL_HOURS"]
    return IS_LEAVING, Enrolment.desired_since < one_moment(-hours * SECONDS_PER_HOUR)


def _at_terminals(
    kind: str, since: InstrumentedAttribute[datetime | None], *where: ColumnElement[bool]
) -> list[Condition]:
    statement = select(Terminal.id, since).where(Terminal.is_active, *where).order_by(Terminal.id)
    return [Condition(kind, terminal_id, moment) for terminal_id, moment in db.session.execute(statement) if moment]
