"""Notices that a terminal changed without reading its whole list: by how many people it has, and a few by their number.

What is noticed is written to the table of drift. It ends with the next comparison, or when it is as before again. An
enrolment that is not there as confirmed is tried again at once; that a face is lost is written to it alone.
"""

from flask import current_app
from sqlalchemy import ColumnElement, ScalarSelect, and_, delete, exists, func, or_, select, update

from hikflask.extensions import db
from hikflask.isapi import persons
from hikflask.isapi.persons import Count, TerminalPerson
from hikflask.models import Comparison, Drift, Enrolment, PersonThere, Terminal
from hikflask.models.columns import database_now
from hikflask.models.comparison import COUNT, DONE, NAME, ONLY_HERE
from hikflask.models.enrolment import ABSENT, CONFIRMED, PRESENT
from hikflask.services import audit
from hikflask.services.core.db import changed_rows, claim_rows, transaction
from hikflask.services.state import columns
from hikflask.services.state import enrolment as state
from hikflask.services.state.columns import EnrolmentColumns
from hikflask.services.terminals import leases, lost_people
from hikflask.services.terminals.connection import Conversation, usable_answer

# So many numbers are asked for in one search, the longest page that terminals give.
MAX_NUMBERS = 30
MAX_TEXT_LENGTH = 255
# Made once, as each page asks it: to make a statement costs more than to run it.
WITH_CHANGES = (
    select(Terminal, func.count(Drift.id))
    .join(Drift, Drift.terminal_id == Terminal.id)
    .where(Terminal.is_active, ~lost_people.EVERYBODY)
    .group_by(Terminal.id)
    .order_by(Terminal.name)
)


def check_count(terminal: Terminal, count: Count | None) -> None:
    """Compare a terminal's own count with whom it should have, within the caller's transaction.

    When it has fewer people or faces than it confirmed, every enrolment there becomes pending again. Those do not count
    as confirmed, so the same loss is noticed only once. That nobody is left is said until all are there again.

    :param count: None where the terminal does not tell.
    """
    if terminal.restored_from is not None:
        return  # A restored backup does not know whom the terminal has confirmed since.
    lost_people.end_when_over(terminal.id)
    if count is None:
        return
    here = Enrolment.terminal_id == terminal.id
    confirmed = (here, Enrolment.desired == PRESENT, Enrolment.person == CONFIRMED)
    people, faces = _count(*confirmed), _count(*confirmed, Enrolment.face == CONFIRMED)
    if people and not count.people:
        lost_people.record(terminal.id, people)
    # Nothing is expected of a device that has replaced another one, or is filled again.
    elif not terminal.awaits_restore and lost_people.at(terminal.id) is None:
        _record_drift_of_count(terminal.id, count.people, people)
    if count.people < people or (count.faces is not None and count.faces < faces):
        state.lock_many(here)
        state.apply(state.PEOPLE_LOST if count.people else state.EVERYBODY_LOST, here)
        before, after = {"people": people, "faces": faces}, {"people": count.people, "faces": count.faces}
        audit.record("terminal.people_lost", terminal=terminal.name, before=before, after=after)


def _record_drift_of_count(terminal_id: int, counted: int, confirmed: int) -> None:
    """Record when a terminal does not have as many people as it should.

    Only the last comparison tells which strangers are there. People who are being added or removed may be there or not.
    """
    comparison_id = db.session.execute(select(_last_comparison(terminal_id))).scalar()
    if comparison_id is None:
        return
    changing = _count(Enrolment.terminal_id == terminal_id, Enrolment.person != CONFIRMED)
    least = confirmed + _count_strangers(terminal_id, comparison_id)
    if not least <= counted <= least + changing:
        _record(terminal_id, COUNT, "", str(least), str(counted))
    elif not changing:
        _forget(terminal_id, Drift.kind == COUNT)


def somebody_there(terminal_id: int) -> str | None:
    """Return the number of somebody who should be on a terminal, with a face if anybody has one; None for nobody."""
    here = (Enrolment.terminal_id == terminal_id, Enrolment.desired == PRESENT, Enrolment.person == CONFIRMED)
    confirmed = select(Enrolment.number).where(*here).order_by(Enrolment.face != CONFIRMED, Enrolment.id).limit(1)
    listed = select(PersonThere.number).where(PersonThere.comparison_id == _last_comparison(terminal_id)).limit(1)
    return db.session.execute(confirmed).scalar() or db.session.execute(listed).scalar()


def _last_comparison(terminal_id: int) -> ScalarSelect[int]:
    done = (Comparison.terminal_id == terminal_id, Comparison.state == DONE)
    return select(func.max(Comparison.id)).where(*done).scalar_subquery()


def _count_strangers(terminal_id: int, comparison_id: int) -> int:
    """Return how many people of the last comparison nobody here desires, or has removed since."""
    ended = select(Comparison.ended_at).where(Comparison.id == comparison_id).scalar_subquery()
    gone = and_(Enrolment.desired == ABSENT, or_(Enrolment.person != CONFIRMED, Enrolment.confirmed_at > ended))
    ours = (Enrolment.terminal_id == terminal_id, Enrolment.number == PersonThere.number)
    is_ours = exists().where(*ours, or_(Enrolment.desired == PRESENT, gone))
    statement = select(func.count(PersonThere.id)).where(PersonThere.comparison_id == comparison_id, ~is_ours)
    return db.session.execute(statement).scalar_one()


def _count(*which: ColumnElement[bool]) -> int:
    return db.session.execute(select(func.count()).select_from(Enrolment).where(*which)).scalar_one()


def check_some_people(conversation: Conversation) -> None:
    """Check that a few confirmed people are on the terminal under their names, with their faces, within a conversation.

    Each check goes on where the one before ended. A terminal that ignores the numbers of a search proves nothing.

    :raises TerminalError: when it does not answer. :raises LeaseLost: when another holder took the lease.
    """
    terminal_id = conversation.terminal.id
    if conversation.terminal.restored_from is not None:
        return  # Only a comparison of the whole list tells what is otherwise.
    confirmed = (Enrolment.terminal_id == terminal_id, Enrolment.desired == PRESENT, Enrolment.person == CONFIRMED)
    following = select(Enrolment.id).where(*confirmed, Enrolment.id > conversation.terminal.drift_after)
    some = Enrolment.id.in_(following.order_by(Enrolment.id).limit(MAX_NUMBERS))
    rows = list(columns.enrolments(some))
    numbers = [row.number for row in rows]
    people = usable_answer(lambda: persons.find_several(conversation, numbers)) if rows else {}
    last = max(row.id for row in rows) if len(rows) == MAX_NUMBERS else 0
    with conversation.lease.write():
        checked = update(Terminal).where(Terminal.id == terminal_id)
        changed_rows(checked.values(drift_after=last, drift_looked_at=database_now()))
        # It is over once the terminal confirmed the number again, or nobody desires it any more.
        here = (Enrolment.terminal_id == terminal_id, Enrolment.number == Drift.number, Enrolment.desired == PRESENT)
        _forget(
            terminal_id,
            Drift.kind != COUNT,
            ~lost_people.EVERYBODY,
            ~exists().where(*here, Enrolment.person != CONFIRMED),
        )
        if people is not None:
            for row in rows:
                _check_person(terminal_id, row, people.get(row.number))


def _check_person(terminal_id: int, row: EnrolmentColumns, person: TerminalPerson | None) -> None:
    # The name that the terminal confirmed, the one that was sent since, and the employee's whole names.
    whole = (row.employee.name, row.employee.terminal_name) if row.employee else ()
    names = [name for name in (row.written_name, row.sent_name, *whole, *row.names_sent) if name]
    unchanged = (Enrolment.id == row.id, Enrolment.generation == row.generation)
    if person is not None and person.name in names:
        if person.faces == 0:
            state.apply(state.FOUND_WITHOUT_FACE, *unchanged, next_attempt_at=database_now())
        return
    transition = state.FOUND_GONE if person is None else state.FOUND_RENAMED
    if state.apply(transition, *unchanged, next_attempt_at=database_now()):
        kind = ONLY_HERE if person is None else NAME
        _record(terminal_id, kind, row.number, next(iter(names), ""), person.name if person else "")


def _record(terminal_id: int, kind: str, number: str, expected: str, found: str) -> None:
    """Write what was noticed in place of what was noticed before about the same."""
    _forget(terminal_id, Drift.kind == kind, Drift.number == number)
    about = {"expected": expected[:MAX_TEXT_LENGTH], "found": found[:MAX_TEXT_LENGTH]}
    db.session.add(Drift(terminal_id=terminal_id, kind=kind, number=number, **about))
    db.session.flush()


def _forget(terminal_id: int, *which: ColumnElement[bool]) -> None:
    changed_rows(delete(Drift).where(Drift.terminal_id == terminal_id, *which))


def changes_at(terminal_id: int) -> list[Drift]:
    """Return what was noticed at a terminal since its last comparison, the count first."""
    order = (Drift.kind != COUNT, Drift.kind, Drift.number)
    statement = select(Drift).where(Drift.terminal_id == terminal_id, ~lost_people.EVERYBODY).order_by(*order)
    return list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())


def terminals_with_changes(limit: int | None = None) -> list[tuple[Terminal, int]]:
    """Return the terminals in use at which something was noticed, by name, with how many findings."""
    rows = db.session.execute(WITH_CHANGES if limit is None else WITH_CHANGES.limit(limit))
    return [(terminal, count) for terminal, count in rows]


def claim_due() -> list[int]:
    """Claim the idle terminals that were not checked so for DRIFT_INTERVAL seconds, and return their ids.

    A terminal for which that was never done waits for one interval, too: its first check does it. One that did not
    answer is asked, too, so that it is known when it does again.
    """
    interval = current_app.config["DRIFT_INTERVAL"]
    if not interval:
        return []
    idle = (Terminal.is_active, Terminal.face_mode.is_not(None), leases.CAN_BE_TAKEN)
    never = update(Terminal).where(*idle, Terminal.drift_looked_at.is_(None))
    due = (*idle, leases.MAY_BE_ASKED, Terminal.drift_looked_at < database_now(-interval))
    with transaction():
        changed_rows(never.values(drift_looked_at=database_now()))
    return [row.id for row in claim_rows(select(Terminal.id).where(*due), {"drift_looked_at": database_now()})]
