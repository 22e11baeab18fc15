"""Schedules attempts: back-off after failures, and turns by terminal, so that no terminal delays another.

What is due is never read as a whole. It is looked up by the index ix_enrolment_due, terminal by terminal, in the order
of urgency, and claimed a batch at a time.
"""

from collections.abc import Sequence
from datetime import datetime

from flask import current_app
from sqlalchemy import Row, ScalarSelect, Select, bindparam, case, not_, or_, select

from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal
from hikflask.models.columns import database_now, one_moment
from hikflask.models.enrolment import ABSENT, PRESENT
from hikflask.services.core.db import lock_terminal, transaction
from hikflask.services.state import enrolment as state
from hikflask.services.state.enrolment import ROWS
from hikflask.services.terminals import leases

MAX_IN_A_TURN = 20
# `desired` and `in_bulk`: removals first, requested by hand or in bulk; then what a person waits for; then one of many.
KINDS = ((ABSENT, False), (ABSENT, True), (PRESENT, False), (PRESENT, True))
SINGLE = tuple(kind for kind in KINDS if not kind[1])
URGENCY = (case((Enrolment.desired == ABSENT, 0), else_=1), Enrolment.in_bulk, Enrolment.next_attempt_at, Enrolment.id)
MAX_EXPONENT = 20


def back_off(attempts: int) -> float:
    """Return the seconds until the next attempt: RETRY_BASE doubles each time, up to RETRY_MAX."""
    base, most = current_app.config["RETRY_BASE"], current_app.config["RETRY_MAX"]
    return float(min(most, base * 2 ** min(attempts, MAX_EXPONENT)))


def claim_turns(most: int = MAX_IN_A_TURN) -> list[list[int]]:
    """Claim due enrolments and return their ids, one list for each terminal that is free and has something due.

    The most urgent come first. A claim moves the next attempt into the future, so an enrolment becomes due again when
    the worker is killed or the queue is lost.

    :param most: how many enrolments of one terminal are claimed.
    """
    return _claim_turns(terminals_with_due(), most)


def claim_next_turn(terminal_id: int) -> list[int]:
    """Claim the next turn of one terminal as claim_turns() does; return the ids: none when nothing is due, or
    others have their turn first.
    """
    turns = _claim_turns(terminals_with_due().where(Terminal.id == terminal_id), MAX_IN_A_TURN)
    return turns[0] if turns else []


def claim_urgent_beside(terminal_id: int, turn: list[int]) -> list[int]:
    """Return a terminal's turn, the most urgent first, with what became due there since it began.

    A turn never becomes longer than MAX_IN_A_TURN. What belongs to a job for many waits for the next turn.
    """
    urgent = _claim(terminal_id, SINGLE, MAX_IN_A_TURN - len(turn))
    if not urgent:
        return turn
    sorted_turn = select(Enrolment.id).where(Enrolment.id.in_([*urgent, *turn])).order_by(*URGENCY)
    return list(db.session.execute(sorted_turn).scalars())


def worth_trying(enrolment_ids: list[int]) -> list[int]:
    """Return those of these enrolments whose terminals are not backing off, the ones that did not answer last."""
    if not enrolment_ids:
        return []
    mine = select(Enrolment.id, Terminal.offline_since).join(Terminal).where(Enrolment.id.in_(enrolment_ids))
    away = {row.id: row.offline_since is not None for row in db.session.execute(mine.where(leases.BACKS_OFF_NO_MORE))}
    return sorted((one for one in enrolment_ids if one in away), key=lambda one: away[one])


def give_back(terminal_id: int, turn: list[int]) -> None:
    """Make the claimed enrolments of a terminal's turn due again."""
    with transaction():
        lock_terminal(terminal_id)
        state.lock_many(Enrolment.id.in_(turn))
        state.apply(state.POSTPONED, Enrolment.id.in_(turn), next_attempt_at=database_now())


def terminal_of(turn: list[int]) -> Row[int, bool, bool] | None:
    """Return the `id` of a turn's terminal, whether it `is_wanted`: a person waits for it, so work for many has to let
    it go, and whether it `is_backing_off` because it did not answer. None when all the turn's enrolments are gone.
    """
    return db.session.execute(TERMINAL_OF_TURN, {"turn": turn}).first()


def terminals_with_due() -> Select[int, bool]:
    """Return the statement of the terminals where a turn may begin now, and whether each did not answer lately."""
    something = or_(*(_earliest(*kind) <= database_now() for kind in KINDS))
    # After a restore nothing is written to a terminal before it was compared.
    open_to_us = (leases.CAN_BE_TAKEN, Terminal.restored_from.is_(None))
    statement = select(Terminal.id, Terminal.offline_since.is_not(None)).order_by(Terminal.id)
    return statement.where(*open_to_us, leases.BACKS_OFF_NO_MORE, leases.NOBODY_WAITS, something)


def _claim_turns(terminals: Select[int, bool], most: int) -> list[list[int]]:
    found = db.session.execute(terminals).all()
    # Only one attempt at a terminal that did not answer, so that it never delays others.
    turns = [_claim(terminal_id, KINDS, 1 if is_offline else most) for terminal_id, is_offline in found]
    return [turn for turn in turns if turn]


def _claim(terminal_id: int, kinds: Sequence[tuple[str, bool]], most: int) -> list[int]:
    """Claim up to `most` due enrolments of a terminal, those of the first kind first; return their ids.

    What another worker claimed since it was read here is left out.
    """
    due: list[int] = []
    for desired, in_bulk in kinds:
        if len(due) < most:
            given = {"here": terminal_id, "desired": desired, "in_bulk": in_bulk, "most": most - len(due)}
            due += db.session.execute(NEXT_DUE, given).scalars()
    claimed = state.claim(due) if due else set()
    return [enrolment_id for enrolment_id in due if enrolment_id in claimed]


def _earliest(desired: str, in_bulk: bool) -> ScalarSelect[datetime]:
    """Return the earliest next attempt of one kind at the statement's terminal: the first entry of the index.

    "Is anything due?" would let PostgreSQL read the whole table where it guesses that much is due.
    """
    kind = (ROWS.c.terminal_id == Terminal.id, ROWS.c.desired == desired, ROWS.c.in_bulk == in_bulk)
    open_still = select(ROWS.c.next_attempt_at).where(*kind, ROWS.c.next_attempt_at.is_not(None))
    return open_still.order_by(ROWS.c.next_attempt_at, ROWS.c.id).limit(1).correlate(Terminal).scalar_subquery()


# Made once: to make a statement costs more than to run it.
NEXT_DUE = (
    select(ROWS.c.id)
    .where(
        ROWS.c.terminal_id == bindparam("here"),
        ROWS.c.desired == bindparam("desired"),
        ROWS.c.in_bulk == bindparam("in_bulk"),
        ROWS.c.next_attempt_at <= one_moment(),
    )
    .order_by(ROWS.c.next_attempt_at, ROWS.c.id)
    .limit(bindparam("most"))
)


TERMINAL_OF_TURN = (
    select(Terminal.id, leases.IS_WANTED.label("is_wanted"), not_(leases.BACKS_OFF_NO_MORE).label("is_backing_off"))
    .join(Enrolment)
    .where(Enrolment.id.in_(bindparam("turn", expanding=True)))
    .limit(1)
)
