"""Schedules attempts: back-off after failures, and turns by terminal, so that no terminal delays another."""

from datetime import datetime
from typing import TypeVarTuple

from flask import current_app
from sqlalchemy import ColumnElement, Select, case, or_, select

from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT
from hikflask.services.state import enrolment as state
from hikflask.services.terminals import leases

Columns = TypeVarTuple("Columns")

MOST_IN_A_TURN = 20
# Removals first, whoever asked for them; then what a single person waits for; then one of many.
URGENCY = (case((Enrolment.desired == ABSENT, 0), else_=1), Enrolment.in_bulk, Enrolment.next_attempt_at, Enrolment.id)
LONGEST_EXPONENT = 20


def back_off(attempts: int) -> float:
    """Return the seconds until the next attempt: RETRY_BASE doubles each time, up to RETRY_MAX."""
    base, most = current_app.config["RETRY_BASE"], current_app.config["RETRY_MAX"]
    return float(min(most, base * 2 ** min(attempts, LONGEST_EXPONENT)))


def claim_turns(most: int = MOST_IN_A_TURN) -> list[list[int]]:
    """Claim the due enrolments by compare-and-set and return their ids, one list for each terminal.

    The most urgent come first. Terminals in use are left out. A claim moves the next attempt into the future, so an
    enrolment becomes due again when the worker is killed or the queue is lost.

    :param most: how many enrolments of one terminal are claimed.
    """
    columns = (Enrolment.id, Enrolment.terminal_id, Enrolment.next_attempt_at, Terminal.offline_since)
    due = _due(select(*columns)).where(leases.free()).order_by(*URGENCY)
    rows = db.session.execute(due).all()
    db.session.commit()
    turns: dict[int, list[int]] = {}
    for enrolment_id, terminal_id, when, offline_since in rows:
        turn = turns.setdefault(terminal_id, [])
        # Only one attempt at a terminal that did not answer, so that it never delays others.
        if len(turn) < (1 if offline_since else most) and when and _claim(enrolment_id, when):
            turn.append(enrolment_id)
    return [turn for turn in turns.values() if turn]


def claim_urgent_beside(turn: list[int]) -> list[int]:
    """Return a terminal's turn, the most urgent first, with what became due there since it began.

    A turn never becomes longer than MOST_IN_A_TURN. What belongs to a job for many waits for the next turn.
    """
    here = select(Enrolment.terminal_id).where(Enrolment.id.in_(turn)).limit(1).scalar_subquery()
    due = _due(select(Enrolment.id, Enrolment.next_attempt_at)).where(Terminal.id == here, ~Enrolment.in_bulk)
    rows = db.session.execute(due.order_by(*URGENCY).limit(max(0, MOST_IN_A_TURN - len(turn)))).all()
    db.session.commit()
    urgent = [enrolment_id for enrolment_id, when in rows if when and _claim(enrolment_id, when)]
    sorted_turn = select(Enrolment.id).where(Enrolment.id.in_([*urgent, *turn])).order_by(*URGENCY)
    found = list(db.session.execute(sorted_turn).scalars())
    db.session.commit()
    return found


def worth_trying(enrolment_ids: list[int]) -> list[int]:
    """Return those of these enrolments whose terminals are not backing off, the ones that did not answer last."""
    mine = select(Enrolment.id, Terminal.offline_since).join(Terminal).where(Enrolment.id.in_(enrolment_ids))
    away = {row.id: row.offline_since is not None for row in db.session.execute(mine.where(_not_backing_off()))}
    db.session.commit()
    return sorted((one for one in enrolment_ids if one in away), key=lambda one: away[one])


def is_backing_off(enrolment_id: int) -> bool:
    """True while the enrolment's terminal is backing off because it did not answer."""
    statement = select(Enrolment.id).join(Terminal).where(Enrolment.id == enrolment_id, _not_backing_off())
    found = db.session.execute(statement).first()
    db.session.commit()
    return found is None


def _due(statement: Select[*Columns]) -> Select[*Columns]:
    return statement.join(Terminal).where(Enrolment.next_attempt_at <= database_now(), _not_backing_off())


def _not_backing_off() -> ColumnElement[bool]:
    return or_(Terminal.backoff_until.is_(None), Terminal.backoff_until <= database_now())


def _claim(enrolment_id: int, when: datetime) -> bool:
    mine = (Enrolment.id == enrolment_id, Enrolment.next_attempt_at == when)
    claimed = state.apply(state.CLAIMED, *mine) == 1
    db.session.commit()
    return claimed
