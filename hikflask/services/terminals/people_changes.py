"""Notices that a terminal changed without reading its whole list: how many people, and a few of them by number.

What is noticed is written to the table of drift. It ends with the next comparison, or when it is as before again. An
enrolment that is not there as confirmed is tried again at once.
"""

from dataclasses import dataclass

from flask import current_app
from sqlalchemy import ColumnElement, ScalarSelect, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import joinedload

from hikflask.extensions import db
from hikflask.isapi import persons
from hikflask.isapi.errors import Nonsense, Refused
from hikflask.isapi.persons import Count, Person
from hikflask.models import Comparison, Drift, Enrolment, PersonThere, Terminal
from hikflask.models.columns import database_now
from hikflask.models.comparison import COUNT, DONE, NAME, ONLY_HERE
from hikflask.models.enrolment import ABSENT, CONFIRMED, PRESENT
from hikflask.services.core.db import changed_rows, claim_rows, transaction
from hikflask.services.state import enrolment as state
from hikflask.services.terminals import leases
from hikflask.services.terminals.connection import Conversation

# So many numbers are asked for in one search, the longest page that terminals give.
MAX_NUMBERS = 30
MAX_TEXT_LENGTH = 255


# --- how many people ---


def note_count(terminal: Terminal, count: Count | None) -> None:
    """Write, within the caller's transaction, when a terminal does not have as many people as it should.

    Strangers are known from the last comparison alone. Who is being added or removed may be there or not. Nothing is
    expected of a device that has replaced another one, or after a restore.
    """
    if count is None or terminal.awaits_restore or terminal.restored_from is not None:
        return
    comparison_id = db.session.execute(select(_last_comparison(terminal.id))).scalar()
    if comparison_id is None:
        return
    here = Enrolment.terminal_id == terminal.id
    certain = _counted(here, Enrolment.desired == PRESENT, Enrolment.person == CONFIRMED)
    open_ones = _counted(here, Enrolment.person != CONFIRMED)
    least = certain + _strangers(terminal.id, comparison_id)
    if least <= count.people <= least + open_ones:
        if not open_ones:
            _forget(terminal.id, Drift.kind == COUNT)
        return
    _note(terminal.id, COUNT, "", str(least), str(count.people))


def somebody_there(terminal_id: int) -> str | None:
    """Return the number of somebody who should be on a terminal, with a face if anybody has one; None for nobody."""
    here = (Enrolment.terminal_id == terminal_id, Enrolment.desired == PRESENT, Enrolment.person == CONFIRMED)
    confirmed = select(Enrolment.number).where(*here).order_by(Enrolment.face != CONFIRMED, Enrolment.id).limit(1)
    listed = select(PersonThere.number).where(PersonThere.comparison_id == _last_comparison(terminal_id)).limit(1)
    return db.session.execute(confirmed).scalar() or db.session.execute(listed).scalar()


def _last_comparison(terminal_id: int) -> ScalarSelect[int]:
    done = (Comparison.terminal_id == terminal_id, Comparison.state == DONE)
    return select(func.max(Comparison.id)).where(*done).scalar_subquery()


def _strangers(terminal_id: int, comparison_id: int) -> int:
    """Return how many people of the last comparison nobody here desires, or has removed since."""
    ended = select(Comparison.ended_at).where(Comparison.id == comparison_id).scalar_subquery()
    gone = and_(Enrolment.desired == ABSENT, or_(Enrolment.person != CONFIRMED, Enrolment.confirmed_at > ended))
    ours = (Enrolment.terminal_id == terminal_id, Enrolment.number == PersonThere.number)
    known = exists().where(*ours, or_(Enrolment.desired == PRESENT, gone))
    statement = select(func.count(PersonThere.id)).where(PersonThere.comparison_id == comparison_id, ~known)
    return db.session.execute(statement).scalar_one()


def _counted(*those: ColumnElement[bool]) -> int:
    return db.session.execute(select(func.count()).select_from(Enrolment).where(*those)).scalar_one()


# --- a few people by number ---


@dataclass(frozen=True)
class Confirmed:
    """A confirmed enrolment, and the names under which the terminal may show the number."""

    enrolment_id: int
    generation: int
    number: str
    names: tuple[str, ...]


def check_some_people(talk: Conversation) -> None:
    """Look whether a few confirmed people are on the terminal under their names, within a conversation.

    Each look goes on where the one before ended. A terminal that ignores the numbers of a search proves nothing.

    :raises TerminalError: when it does not answer. :raises LeaseLost: when another holder took the lease.
    """
    terminal_id = talk.terminal.id
    if talk.terminal.restored_from is not None:
        return  # Only a comparison of the whole list tells what is otherwise.
    confirmed = _next_confirmed(talk.terminal)
    found = _asked(talk, [one.number for one in confirmed]) if confirmed else {}
    last = confirmed[-1].enrolment_id if len(confirmed) == MAX_NUMBERS else 0
    with talk.lease.write():
        looked = update(Terminal).where(Terminal.id == terminal_id)
        changed_rows(looked.values(drift_after=last, drift_looked_at=database_now()))
        _forget_mended(terminal_id)
        if found is None:
            return
        for one in confirmed:
            _judge(terminal_id, one, found.get(one.number))


def _next_confirmed(terminal: Terminal) -> list[Confirmed]:
    """Return the next confirmed enrolments, after those of the last look."""
    confirmed = (
        Enrolment.terminal_id == terminal.id,
        Enrolment.desired == PRESENT,
        Enrolment.person == CONFIRMED,
        Enrolment.id > terminal.drift_after,
    )
    statement = select(Enrolment).where(*confirmed).order_by(Enrolment.id).limit(MAX_NUMBERS)
    loaded = statement.options(joinedload(Enrolment.employee))
    rows = db.session.execute(loaded, execution_options={"populate_existing": True}).scalars()
    return [Confirmed(row.id, row.generation, row.number, _names(row)) for row in rows]


def _names(row: Enrolment) -> tuple[str, ...]:
    """Return the name that the terminal confirmed, the one that was sent since, and the employee's whole names."""
    whole = (row.employee.name, row.employee.terminal_name) if row.employee else ()
    return tuple(name for name in (row.written_name, row.sent_name, *whole) if name)


def _asked(talk: Conversation, numbers: list[str]) -> dict[str, Person] | None:
    """Return who is there of these numbers, or None when the terminal's answer proves nothing."""
    try:
        return persons.find_several(talk, numbers)
    except (Refused, Nonsense) as error:
        if error.retryable:
            raise
        return None


def _judge(terminal_id: int, one: Confirmed, there: Person | None) -> None:
    if there is not None and there.name in one.names:
        return
    found = state.FOUND_GONE if there is None else state.FOUND_RENAMED
    mine = (Enrolment.id == one.enrolment_id, Enrolment.generation == one.generation)
    if state.apply(found, *mine, next_attempt_at=database_now()):
        kind = ONLY_HERE if there is None else NAME
        _note(terminal_id, kind, one.number, next(iter(one.names), ""), there.name if there else "")


def _forget_mended(terminal_id: int) -> None:
    """What was noticed about a number is over once the terminal confirmed it again, or nobody desires it any more."""
    here = (Enrolment.terminal_id == terminal_id, Enrolment.number == Drift.number, Enrolment.desired == PRESENT)
    _forget(terminal_id, Drift.kind != COUNT, ~exists().where(*here, Enrolment.person != CONFIRMED))


# --- what was noticed ---


def _note(terminal_id: int, kind: str, number: str, expected: str, found: str) -> None:
    """Write a finding in place of the one before about the same."""
    _forget(terminal_id, Drift.kind == kind, Drift.number == number)
    about = {"expected": expected[:MAX_TEXT_LENGTH], "found": found[:MAX_TEXT_LENGTH]}
    db.session.add(Drift(terminal_id=terminal_id, kind=kind, number=number, **about))
    db.session.flush()


def _forget(terminal_id: int, *which: ColumnElement[bool]) -> None:
    changed_rows(delete(Drift).where(Drift.terminal_id == terminal_id, *which))


def changes_at(terminal_id: int) -> list[Drift]:
    """Return what was noticed at a terminal since its last comparison, the count first."""
    order = (Drift.kind != COUNT, Drift.kind, Drift.number)
    statement = select(Drift).where(Drift.terminal_id == terminal_id).order_by(*order)
    return list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())


def terminals_with_changes(limit: int | None = None) -> list[tuple[Terminal, int]]:
    """Return the terminals in use at which something was noticed, by name, with how many findings."""
    statement = select(Terminal, func.count(Drift.id)).join(Drift, Drift.terminal_id == Terminal.id)
    in_use = statement.where(Terminal.is_active, Terminal.retired_at.is_(None)).group_by(Terminal.id)
    rows = db.session.execute(in_use.order_by(Terminal.name).limit(limit))
    return [(terminal, count) for terminal, count in rows]


# --- when it is looked ---


def claim_due() -> list[int]:
    """Claim the idle terminals that were not looked at for DRIFT_INTERVAL seconds, and return their ids.

    A terminal that was never looked at waits for one interval, too: its check looks at it.
    """
    interval = current_app.config["DRIFT_INTERVAL"]
    if not interval:
        return []
    looked = (Terminal.is_active, Terminal.retired_at.is_(None), Terminal.face_mode.is_not(None))
    answers = (Terminal.refused_since.is_(None), Terminal.offline_since.is_(None))
    never = update(Terminal).where(*looked, leases.free(), Terminal.drift_looked_at.is_(None))
    due = (*looked, *answers, leases.free(), Terminal.drift_looked_at < database_now(-interval))
    with transaction():
        changed_rows(never.values(drift_looked_at=database_now()))
    return [row.id for row in claim_rows(select(Terminal.id).where(*due), {"drift_looked_at": database_now()})]
